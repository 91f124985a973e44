/** Tests the metrics of a real server after real deliveries. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createMetrics } from "../../server/src/ops/metrics.ts";
import { openDatabase } from "../../server/src/store/db.ts";
import { apiOf } from "../browser/api.ts";
import { startReceiver } from "../browser/receiver.ts";
import { freePort, ROOT, scrape, startServer, type TestServer } from "../support/server.ts";

const SEEN = { timeout: 30_000, interval: 100 };

describe("the metrics of a server that has delivered events", async () => {
  const [good, bad] = [await startReceiver(), await startReceiver()];
  let server: TestServer;
  let page = "";
  const read = async () => {
    page = await scrape(server);
    return page;
  };
  /** Returns the value of a metric sample. */
  const value = (sample: string) =>
    Number(
      page
        .split("\n")
        .find((line) => line.startsWith(`${sample} `))
        ?.split(" ")[1],
    );
  const depth = (state: string) => value(`mave_pending_deliveries{state="${state}"}`);
  const names = () => [...page.matchAll(/^# TYPE (mave_\w+) /gm)].map(([, name]) => name!);

  beforeAll(async () => {
    server = await startServer({ MAVE_RETRY_SCHEDULE: "3600" });
    const api = apiOf(server, await server.key());
    bad.response = { status: 500, body: "no", headers: {} };
    await api.webhook(good.url, "good");
    await api.webhook(bad.url, "bad");
    const paused = await api.webhook(good.url, "paused");
    await api.patch(`/v1/webhooks/${paused.id}`, { status: "paused" });
    await api.video("One");
  }, 120_000);
  afterAll(() => server?.remove());

  test("include the queue's depth and age by state", async () => {
    const depths = () => ["retrying", "held", "due", "sending", "waiting"].map(depth);
    await expect.poll(async () => (await read()) && depths(), SEEN).toEqual([1, 1, 0, 0, 0]);
    for (const state of ["held", "retrying"])
      expect(value(`mave_oldest_delivery_seconds{state="${state}"}`)).toBeGreaterThan(0);
    expect(value("mave_oldest_due_seconds")).toBe(0);
  });

  test("count attempts by outcome and error word, and include their durations", async () => {
    await expect
      .poll(
        async () =>
          (await read()) && [value("mave_settle_duration_seconds_count") > 0, value("mave_attempts_unsettled")],
        SEEN,
      )
      .toEqual([true, 0]);
    expect(value('mave_attempts_total{outcome="succeeded",error="none"}')).toBe(1);
    expect(value('mave_attempts_total{outcome="retry",error="status"}')).toBe(1);
    expect(value("mave_attempt_duration_seconds_count")).toBe(2);
    for (const gauge of ["attempts_in_flight", "attempts_slow", "deliveries_queued"])
      expect(value(`mave_${gauge}`)).toBe(0);
    expect(value("mave_leases_lost_total")).toBe(0);
  });

  test("count deliveries claimed from the database", async () => {
    const api = apiOf(server, await server.key());
    const before = value("mave_claim_duration_seconds_count");
    const { data } = (await api.get("/v1/webhooks")) as { data: { id: string; status: string }[] };
    await api.patch(`/v1/webhooks/${data.find(({ status }) => status === "paused")!.id}`, { status: "enabled" });
    await expect
      .poll(async () => (await read()) && value("mave_claim_duration_seconds_count"), SEEN)
      .toBeGreaterThan(before);
    await expect.poll(async () => (await read()) && depth("held"), SEEN).toBe(0);
  });

  test("describe the node, its database, its uploads and its requests", async () => {
    await expect
      .poll(async () => (await read()) && [value("mave_nodes"), value("mave_database_waiting")], SEEN)
      .toEqual([1, 0]);
    for (const role of ["api", "deliver", "process"]) expect(value(`mave_role{role="${role}"}`)).toBe(1);
    expect(value("mave_database_up")).toBe(1);
    for (const state of ["busy", "idle"])
      expect(value(`mave_database_connections{state="${state}"}`)).toBeGreaterThanOrEqual(0);
    for (const state of ["receiving", "received", "processing"])
      expect(value(`mave_uploads{state="${state}"}`)).toBe(0);
    expect(value("mave_oldest_upload_seconds")).toBe(0);
    expect(value("nodejs_eventloop_lag_p99_seconds")).toBeGreaterThan(0);
    expect(value('mave_http_request_duration_seconds_count{route="/v1/videos",method="POST",status="201"}')).toBe(1);
  });

  test("have no label with unbounded values", () => {
    const labels = new Set([...page.matchAll(/^mave_\w+\{(.*)\}/gm)].flatMap(([, all]) => all!.match(/\w+(?==")/g)));
    expect([...labels].sort()).toEqual(["error", "le", "method", "outcome", "role", "route", "state", "status"]);
  });

  test("are exactly those in docs/operating.md", async () => {
    const page = await readFile(join(ROOT, "docs/operating.md"), "utf8");
    const rows = new Set([...page.matchAll(/^\| `(mave_\w+)`/gm)].map(([, name]) => name!));
    expect([...rows].sort()).toEqual(names().sort());
  });
});

test("metrics stay available while the database is down, and report the outage", async () => {
  const connection = `postgres://mave@127.0.0.1:${await freePort()}/mave`;
  const db = openDatabase({ connection, connections: 1 });
  const { registry } = createMetrics({ db, watchdog: { late: () => [] }, roles: new Set(["api"]), delivery: null });
  const page = await registry.metrics();
  await db.close();
  expect(page).toMatch(/^mave_database_up 0$/m);
  expect(page).toMatch(/^mave_role\{role="api"\} 1$/m);
  expect(page).not.toMatch(/^mave_pending_deliveries\{/m);
});
