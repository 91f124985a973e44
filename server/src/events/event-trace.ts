import type { Cause, Tracing } from "../tracing.ts";
import type { Envelope, Happening } from "./envelope.ts";

interface Recorded {
  happening: Happening;
  envelope: Envelope;
}

/**
 * A span for each event of a transaction, from its recording to its commit, under the request that it came of. Events of
 * several requests may have shared the commit. @returns by the event's UUID, what its deliveries are caused by
 */
export function traceEvents(
  tracing: Tracing,
  events: readonly Recorded[],
  begun_ms: number,
  ended_ms: number,
): Map<string, Cause> {
  const here = tracing.cause();
  const causes = new Map<string, Cause>();
  for (const { happening, envelope } of events) {
    const { type, video, cause = here } = happening;
    const attributes = { "mave.event": envelope.id, "mave.event_type": type, ...(video && { "mave.video": video }) };
    const span = tracing.begin({ name: `record ${type}`, kind: "producer", cause, begun_ms, attributes });
    span.end(ended_ms);
    causes.set(envelope.uuid, span.cause);
  }
  return causes;
}
