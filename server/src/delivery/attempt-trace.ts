import { shortUuid } from "../kernel/short-uuid.ts";
import type { Tracing } from "../kernel/trace.ts";
import type { Exchange } from "../net/exchange.ts";
import type { LeasedDelivery } from "../store/queue/claim.ts";
import type { Outcome } from "./outcome.ts";

/**
 * A span for an attempt that has ended: under its event, whichever node recorded that. As in the log, neither URL nor
 * payload; and the request carries no `traceparent`, since its receiver is a stranger.
 */
export function traceAttempt(
  tracing: Tracing,
  { webhook_id, id, event_id, type, attempt, traceparent }: LeasedDelivery,
  begun_ms: number,
  { status, timings }: Exchange,
  { result, error }: Outcome,
): void {
  const attributes = {
    "mave.webhook": shortUuid(webhook_id),
    "mave.delivery": shortUuid(id),
    "mave.event": shortUuid(event_id),
    "mave.event_type": type,
    "mave.attempt": attempt,
    "mave.outcome": result,
    "http.request.method": "POST",
    ...(status !== null && { "http.response.status_code": status }),
    ...(error !== null && { "error.type": error.word }),
  };
  const span = tracing.begin({ name: `attempt ${type}`, kind: "client", traceparent, begun_ms, attributes });
  span.end(begun_ms + timings.total, {}, result !== "succeeded");
}
