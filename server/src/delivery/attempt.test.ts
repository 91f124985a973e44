import pino from "pino";
import { afterAll, expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { noResponse, response, testNode } from "../../../test/support/delivery.ts";
import { happen } from "../../../test/support/engine.ts";

const SECRETS = { query: "a-token-in-the-url", header: "a-secret-header", response: "a-response-body" };
const lines: Record<string, unknown>[] = [];
const log = pino({ level: "debug", base: null }, { write: (line: string) => lines.push(JSON.parse(line)) });
const attempts = () => lines.filter(({ msg }) => msg === "Attempt ended");
const retry = { level: 30, outcome: "retry" };
const failed = { level: 40, outcome: "failed" };

const db = await testDatabase();
const body = Buffer.from(SECRETS.response);
const withBody = { response: { headers: [], body, bytes: body.length } };
const responses = { healthy: response(200), failing: { ...response(503), ...withBody }, hanging: noResponse() };
const node = await testNode(db, ({ webhook }) => responses[webhook as keyof typeof responses], {
  schedule_s: [0],
  log,
});
afterAll(() => node.stop());

const register = (name: keyof typeof responses) =>
  node.webhooks.create(node.db, node.space, {
    url: `https://r.example.com/${name}?token=${SECRETS.query}`,
    events: ["video.created"],
    headers: { "X-Password": SECRETS.header },
  });

test("each attempt logs one line: debug after a success, info before a retry, warn after the last attempt", async () => {
  const [healthy, failing, hanging] = [await register("healthy"), await register("failing"), await register("hanging")];
  await happen(node, "L000000001");
  await expect.poll(() => attempts().length, { timeout: 30_000 }).toBe(5);
  const of = ({ id }: { id: string }) => attempts().filter(({ webhook }) => webhook === id);
  expect(of(healthy)).toMatchObject([{ level: 20, attempt: 1, outcome: "succeeded", status: 200, error: null, ms: 1 }]);
  expect(of(failing)).toMatchObject([
    { ...retry, attempt: 1, status: 503, error: "status" },
    { ...failed, attempt: 2, status: 503, error: "status" },
  ]);
  expect(of(hanging)).toMatchObject([
    { ...retry, attempt: 1, status: null, error: "timeout" },
    { ...failed, attempt: 2, status: null, error: "timeout" },
  ]);
  const known = (await node.deliveries.list(node.space, { limit: 100 })).data.map(({ id }) => id);
  expect(known).toEqual(expect.arrayContaining(attempts().map(({ delivery }) => delivery)));

  const written = JSON.stringify(lines);
  for (const hidden of [...Object.values(SECRETS), healthy.secret, failing.secret, "r.example.com", "L000000001"])
    expect(written).not.toContain(hidden);
});

test("an attempt's log line has only the documented fields", () => {
  const fields = new Set(attempts().flatMap((line) => Object.keys(line)));
  expect([...fields].sort()).toEqual(
    [
      ...["attempt", "delivery", "error", "error_code", "level", "ms", "msg", "outcome", "retry_ms", "status"],
      ...["time", "webhook"],
    ].sort(),
  );
});
