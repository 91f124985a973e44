/**
 * Tests the traces that real servers send to an OpenTelemetry collector, from an API request to the resulting attempts.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { apiOf } from "../browser/api.ts";
import { startReceiver } from "../browser/receiver.ts";
import { type CollectedSpan, startCollector } from "../support/collector.ts";
import { testDatabaseUrl } from "../support/database.ts";
import { startServer, type TestServer } from "../support/server.ts";

const SEEN = { timeout: 30_000, interval: 100 };
const [SERVER, CLIENT, PRODUCER] = [2, 3, 4];
const FAILED = 2;

describe("the traces of a server that delivers events", async () => {
  const [collector, receiver, bad] = [await startCollector(), await startReceiver(), await startReceiver()];
  let server: TestServer;
  let api: ReturnType<typeof apiOf>;
  let secret: string;
  const { spans } = collector;
  const attempts = (outcome: string) =>
    spans.filter(({ name, attributes }) => name === "attempt video.created" && attributes["mave.outcome"] === outcome);
  const parentOf = (span: CollectedSpan) => spans.find(({ spanId }) => spanId === span.parentSpanId);

  beforeAll(async () => {
    bad.response = { status: 500, body: "no", headers: {} };
    server = await startServer({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, MAVE_RETRY_SCHEDULE: "0" });
    api = apiOf(server, await server.key());
    secret = (await api.webhook(receiver.url, "good")).secret;
  }, 120_000);
  afterAll(() => server?.remove());

  test("combine an API request, its event and its attempt in one trace", async () => {
    const { id } = await api.video("One");
    await expect.poll(() => attempts("succeeded").length, SEEN).toBe(1);
    const [attempt] = attempts("succeeded") as [CollectedSpan];
    await expect.poll(() => parentOf(attempt)?.name, SEEN).toBe("record video.created");
    const event = parentOf(attempt)!;
    await expect.poll(() => parentOf(event)?.name, SEEN).toBe("POST /v1/videos");
    const call = parentOf(event)!;

    expect(new Set([attempt.traceId, event.traceId, call.traceId]).size).toBe(1);
    expect([call.kind, event.kind, attempt.kind]).toEqual([SERVER, PRODUCER, CLIENT]);
    expect(call).toMatchObject({ parentSpanId: undefined, status: 0 });
    expect(call.attributes).toMatchObject({ "http.route": "/v1/videos", "http.response.status_code": 201 });
    const { data } = await api.get("/v1/webhooks");
    const [{ event: delivered }] = receiver.received as [(typeof receiver.received)[0]];
    expect(event.attributes).toEqual({
      "mave.event": delivered.id,
      "mave.event_type": "video.created",
      "mave.video": id,
    });
    expect(attempt.attributes).toMatchObject({
      "mave.webhook": data[0]!.id,
      "mave.event": delivered.id,
      "mave.event_type": "video.created",
      "mave.attempt": 1,
      "http.response.status_code": 200,
    });
    expect(attempt.ms).toBeGreaterThan(0);
  });

  test("are separate for events in the same group commit", async () => {
    const before = attempts("succeeded").length;
    const made = await Promise.all(Array.from({ length: 20 }, (_, index) => api.video(`At once ${index}`)));
    await expect.poll(() => attempts("succeeded").length, SEEN).toBe(before + made.length);
    const of = made.map(({ id }) => spans.find(({ attributes }) => attributes["mave.video"] === id)!);
    expect(new Set(of.map(({ traceId }) => traceId)).size).toBe(made.length);
    for (const event of of)
      expect(attempts("succeeded").filter(({ parentSpanId }) => parentSpanId === event.spanId)).toHaveLength(1);
  });

  test("include attempts for deliveries claimed from the database, such as retries", async () => {
    await api.webhook(bad.url, "bad");
    await api.video("Unlucky");
    await expect.poll(() => [attempts("retry").length, attempts("failed").length], SEEN).toEqual([1, 1]);
    const [[first], [second]] = [attempts("retry"), attempts("failed")] as [[CollectedSpan], [CollectedSpan]];
    expect(first).toMatchObject({ status: FAILED, attributes: { "mave.attempt": 1, "error.type": "status" } });
    expect(second).toMatchObject({ traceId: first.traceId, parentSpanId: first.parentSpanId, status: FAILED });
    expect(second.attributes).toMatchObject({ "mave.attempt": 2, "mave.delivery": first.attributes["mave.delivery"] });
    await expect.poll(() => parentOf(second)?.name, SEEN).toBe("record video.created");
  });

  test("contain no secrets and are not propagated to receivers", () => {
    for (const hidden of [secret, receiver.url, bad.url, "Unlucky", "At once"])
      expect(collector.text()).not.toContain(hidden);
    expect(collector.text()).toContain('{"key":"service.name","value":{"stringValue":"mave"}}');
    const headers = [...receiver.received, ...bad.received].flatMap(({ headers }) => Object.keys(headers));
    expect(headers).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(?:traceparent|tracestate|baggage)$/)]),
    );
  });
});

test("an attempt made by a deliver-only node belongs to the trace of the API request that another node handled", async () => {
  const [collector, receiver] = [await startCollector(), await startReceiver()];
  const start = await nodesOf(collector.url);
  const node = await start("api");
  const api = apiOf(node, await node.key());
  await api.webhook(receiver.url, "good");
  const { id } = await api.video("One");
  await start("deliver");
  const named = (name: string) => collector.spans.filter((span) => span.name === name);
  const attempts = () => named("attempt video.created");
  const calls = () => named("POST /v1/videos");
  await expect.poll(() => [attempts().length, calls().length], SEEN).toEqual([1, 1]);
  const [[attempt], [event], [call]] = [attempts(), named("record video.created"), calls()];
  expect(attempt!.attributes).toMatchObject({ "mave.attempt": 1, "mave.outcome": "succeeded" });
  expect(event).toMatchObject({ attributes: { "mave.video": id }, parentSpanId: call!.spanId });
  expect(attempt).toMatchObject({ traceId: call!.traceId, parentSpanId: event!.spanId });
}, 120_000);

/**
 * Returns a function that starts a node with the given role. All nodes started this way share a database, a data folder
 * and a secrets key.
 */
async function nodesOf(collector: string): Promise<(role: string) => Promise<TestServer>> {
  const folder = await mkdtemp(join(tmpdir(), "mave-traces-"));
  const nodes: TestServer[] = [];
  onTestFinished(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await rm(folder, { recursive: true, force: true });
  });
  const shared = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector,
    DATABASE_URL: await testDatabaseUrl(),
    MAVE_DATA_DIR: folder,
    MAVE_SECRETS_KEY: randomBytes(32).toString("base64"),
  };
  return async (role) => {
    const node = await startServer({ ...shared, MAVE_ROLES: role });
    nodes.push(node);
    return node;
  };
}

test("an unreachable collector delays neither deliveries nor the shutdown", async () => {
  const receiver = await startReceiver();
  const server = await startServer({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" });
  try {
    const api = apiOf(server, await server.key());
    await api.webhook(receiver.url, "good");
    await api.video("One");
    await expect.poll(() => receiver.received.length, SEEN).toBe(1);
    expect(await server.stop()).toBe(0);
  } finally {
    await server.remove();
  }
}, 120_000);
