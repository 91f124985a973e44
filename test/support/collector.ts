import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll } from "vitest";

/** A received span, with its attributes by name. */
export interface CollectedSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  kind: number;
  /** The OpenTelemetry status code, which is 2 if the span failed. */
  status: number;
  attributes: Record<string, string | number>;
  ms: number;
}

interface OtlpSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  kind: number;
  status: { code?: number };
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[];
}

export interface Collector {
  /** The value for OTEL_EXPORTER_OTLP_ENDPOINT. */
  url: string;
  spans: CollectedSpan[];
  /** Returns all received bodies as text. */
  text(): string;
}

/** Starts an OpenTelemetry collector for OTLP/JSON over HTTP. It is closed when the test file ends. */
export async function startCollector(): Promise<Collector> {
  const bodies: string[] = [];
  const spans: CollectedSpan[] = [];
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    response.setHeader("content-type", "application/json").end("{}");
    if (request.url !== "/v1/traces") return;
    bodies.push(body);
    const { resourceSpans } = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[] };
    for (const { scopeSpans } of resourceSpans) for (const each of scopeSpans) spans.push(...each.spans.map(toSpan));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans, text: () => bodies.join("\n") };
}

function toSpan({ attributes, status, startTimeUnixNano, endTimeUnixNano, ...span }: OtlpSpan): CollectedSpan {
  const { name, traceId, spanId, kind } = span;
  const parentSpanId = span.parentSpanId || undefined;
  const pairs = attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)] as const);
  const ms = Number(BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano)) / 1e6;
  return {
    name,
    traceId,
    spanId,
    parentSpanId,
    kind,
    status: status.code ?? 0,
    attributes: Object.fromEntries(pairs),
    ms,
  };
}
