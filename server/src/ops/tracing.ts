import { AsyncLocalStorage } from "node:async_hooks";
import { DiagLogLevel, diag, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import type { OpenSpan, TraceParent, Tracing } from "../kernel/trace.ts";

export interface TracingParts {
  clock: Clock;
  log: Log;
  version: string;
}

const KINDS = { server: SpanKind.SERVER, producer: SpanKind.PRODUCER, client: SpanKind.CLIENT };

/**
 * Sends spans with OTLP over HTTP to OTEL_EXPORTER_OTLP_ENDPOINT; the SDK reads this variable and its other settings
 * from the environment. Only main.ts loads this file, and only if tracing is enabled. Requests and deliveries never
 * wait for a span to be sent. If the collector is too slow, spans are dropped.
 */
export function startTracing({ clock, log, version }: TracingParts): Tracing {
  const warn = (message: string) => log.warn({ message }, "Trace export failed");
  diag.setLogger({ error: warn, warn, info() {}, debug() {}, verbose() {} }, DiagLogLevel.WARN);
  const provider = createProvider(version);
  const tracer = provider.getTracer("mave", version);
  const spans = new AsyncLocalStorage<OpenSpan>();
  return {
    begin({ name, kind, traceparent, begun_ms, attributes }) {
      const parent = traceparent ? trace.setSpanContext(ROOT_CONTEXT, contextOf(traceparent)) : ROOT_CONTEXT;
      const span = tracer.startSpan(name, { kind: KINDS[kind], startTime: begun_ms, attributes }, parent);
      return {
        traceparent: traceparentOf(span),
        get over() {
          return !span.isRecording();
        },
        end(ended_ms, more = {}, failed = false) {
          span.setAttributes(more);
          if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end(Math.max(begun_ms, ended_ms)); // the wall clock can jump back
        },
      };
    },
    within: (span, work) => spans.run(span, work),
    traceparent() {
      const span = spans.getStore();
      return span === undefined || span.over ? null : span.traceparent;
    },
    close: () =>
      Promise.race([provider.shutdown(), new Promise<void>((resolve) => clock.after(LIMITS.SPANS_FLUSH_MS, resolve))]),
  };
}

const FORMAT_VERSION = "00";

function traceparentOf(span: Span): TraceParent {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return [FORMAT_VERSION, traceId, spanId, traceFlags.toString(16).padStart(2, "0")].join("-");
}

/** Parses a traceparent. If the traceparent is invalid, the SDK ignores the result and starts a new trace. */
function contextOf(traceparent: TraceParent) {
  const [, traceId = "", spanId = "", flags = ""] = traceparent.split("-");
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}

function createProvider(version: string): TracerProvider {
  const attributes = resourceFromAttributes({ "service.name": "mave", "service.version": version });
  const processor = new BatchSpanProcessor({
    exporter: new OTLPTraceExporter(),
    maxQueueSize: LIMITS.SPANS_QUEUED_MAX,
    scheduledDelayMillis: LIMITS.SPANS_BATCH_MS,
  });
  return new TracerProvider({
    resource: defaultResource()
      .merge(attributes)
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [processor],
  });
}
