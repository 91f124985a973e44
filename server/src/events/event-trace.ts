import type { OpenSpan, Tracing } from "../kernel/trace.ts";
import type { Envelope, Happening } from "./envelope.ts";

/**
 * A span for an event, to be ended by its commit, under the request that it came of: events of several requests may
 * share the commit. Begun before the event is inserted, whose row keeps it for those who will send it.
 */
export function beginEvent(
  tracing: Tracing,
  { type, video, traceparent = tracing.traceparent() }: Happening,
  { id }: Envelope,
  begun_ms: number,
): OpenSpan {
  const attributes = { "mave.event": id, "mave.event_type": type, ...(video && { "mave.video": video }) };
  return tracing.begin({ name: `record ${type}`, kind: "producer", traceparent, begun_ms, attributes });
}
