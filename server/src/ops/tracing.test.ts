import { expect, test } from "vitest";
import { startCollector } from "../../../test/support/collector.ts";
import { systemClock } from "../kernel/clock.ts";
import { createLog } from "../kernel/log.ts";
import type { OpenSpan } from "../kernel/trace.ts";
import { startTracing } from "./tracing.ts";

const collector = await startCollector();
process.env.OTEL_EXPORTER_OTLP_ENDPOINT = collector.url;
const tracing = startTracing({ clock: systemClock, log: createLog("silent", false), version: "0" });
const begin = (more: object = {}): OpenSpan =>
  tracing.begin({ name: "GET /v1/videos", kind: "server", begun_ms: 5_000, attributes: {}, ...more });

test("code within a span sees the span's traceparent until the span ends, even across asynchronous calls", async () => {
  const span = begin();
  const signal = Promise.withResolvers<void>();
  const result = new Promise<unknown[]>((resolve) => {
    tracing.within(span, async () => {
      const parents = [tracing.traceparent()];
      await signal.promise;
      parents.push(tracing.traceparent());
      span.end(5_001);
      parents.push(tracing.traceparent());
      resolve(parents);
    });
  });
  expect(tracing.traceparent()).toBeNull();
  signal.resolve();
  expect(await result).toEqual([span.traceparent, span.traceparent, null]);
});

test("an invalid traceparent, for example one that another program stored, starts a new trace", async () => {
  for (const traceparent of ["", "nonsense", "00-0-0-01", `00-${"0".repeat(32)}-${"0".repeat(16)}-01`]) {
    const span = begin({ traceparent });
    expect(span.traceparent).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/);
    span.end(5_001);
  }
});

test("closing sends all spans, with each child in its parent's trace and no negative durations", async () => {
  const span = begin();
  begin({ name: "child", kind: "client", traceparent: span.traceparent }).end(4_000, {}, true);
  span.end(5_250);
  await tracing.close();
  const [child, parent] = collector.spans.slice(-2);
  expect(child).toMatchObject({
    name: "child",
    parentSpanId: parent!.spanId,
    traceId: parent!.traceId,
    ms: 0,
    status: 2,
  });
  expect(parent).toMatchObject({ name: "GET /v1/videos", parentSpanId: undefined, ms: 250, status: 0 });
});
