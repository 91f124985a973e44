import { shortUuid } from "../kernel/short-uuid.ts";
import type { Tracing } from "../kernel/trace.ts";
import type { Exchange } from "../net/exchange.ts";
import type { Job } from "./lane.ts";
import type { Verdict } from "./outcome.ts";

/**
 * A span for an attempt that has ended: under its event, whichever node recorded that. As in the log, neither URL nor
 * payload; and the request carries no `traceparent`, since its receiver is a stranger.
 */
export function traceAttempt(
  tracing: Tracing,
  { webhook_id, id, event_id, type, attempt, traceparent }: Job,
  begun_ms: number,
  { status, timings }: Exchange,
  { outcome, error }: Verdict,
): void {
  const attributes = {
    "mave.webhook": shortUuid(webhook_id),
    "mave.delivery": shortUuid(id),
    "mave.event": shortUuid(event_id),
    "mave.event_type": type,
    "mave.attempt": attempt,
    "mave.outcome": outcome,
    "http.request.method": "POST",
    ...(status !== null && { "http.response.status_code": status }),
    ...(error !== null && { "error.type": error.word }),
  };
  const span = tracing.begin({ name: `attempt ${type}`, kind: "client", traceparent, begun_ms, attributes });
  span.end(begun_ms + timings.total, {}, outcome !== "succeeded");
}
