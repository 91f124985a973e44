import pino from "pino";
import { afterAll, expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { noResponse, response, testNode } from "../../../test/support/delivery.ts";
import { happen } from "../../../test/support/engine.ts";

const SECRETS = { query: "a-token-in-the-url", header: "a-secret-header", response: "what-the-receiver-said" };
const lines: Record<string, unknown>[] = [];
const log = pino({ level: "debug", base: null }, { write: (line: string) => lines.push(JSON.parse(line)) });
const attempts = () => lines.filter(({ msg }) => msg === "attempt");
const retry = { level: 30, outcome: "retry" };
const failed = { level: 40, outcome: "failed" };

const db = await testDatabase();
const body = Buffer.from(SECRETS.response);
const said = { response: { headers: [], body, bytes: body.length, cut: false } };
const answers = { well: response(200), ill: { ...response(503), ...said }, mute: noResponse() };
const node = await testNode(db, ({ webhook }) => answers[webhook as keyof typeof answers], { schedule_s: [0], log });
afterAll(() => node.stop());

const register = (name: keyof typeof answers) =>
  node.webhooks.create(node.space, {
    url: `https://r.example.com/${name}?token=${SECRETS.query}`,
    events: ["video.created"],
    headers: { "X-Password": SECRETS.header },
  });

test("one line an attempt: debug after a success, info before a retry, warn where nothing more is tried", async () => {
  const [well, ill, mute] = [await register("well"), await register("ill"), await register("mute")];
  await happen(node, "L000000001");
  await expect.poll(() => attempts().length, { timeout: 30_000 }).toBe(5);
  const of = ({ id }: { id: string }) => attempts().filter(({ webhook }) => webhook === id);
  expect(of(well)).toMatchObject([{ level: 20, attempt: 1, outcome: "succeeded", status: 200, error: null, ms: 1 }]);
  expect(of(ill)).toMatchObject([
    { ...retry, attempt: 1, status: 503, error: "status" },
    { ...failed, attempt: 2, status: 503, error: "status" },
  ]);
  expect(of(mute)).toMatchObject([
    { ...retry, attempt: 1, status: null, error: "timeout" },
    { ...failed, attempt: 2, status: null, error: "timeout" },
  ]);
  const known = (await node.deliveries.list(node.space, { limit: 100 })).data.map(({ id }) => id);
  expect(known).toEqual(expect.arrayContaining(attempts().map(({ delivery }) => delivery)));

  const written = JSON.stringify(lines);
  for (const hidden of [...Object.values(SECRETS), well.secret, ill.secret, "r.example.com", "L000000001"])
    expect(written).not.toContain(hidden);
});

test("a line has these fields and no other", () => {
  const fields = new Set(attempts().flatMap((line) => Object.keys(line)));
  expect([...fields].sort()).toEqual(
    ["attempt", "delivery", "error", "level", "ms", "msg", "outcome", "status", "time", "webhook"].sort(),
  );
});
