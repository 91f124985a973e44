import type { Log } from "../kernel/log.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import type { Tracing } from "../kernel/trace.ts";
import type { Exchange } from "../net/exchange.ts";
import type { LeasedDelivery } from "../store/queue/claim.ts";
import type { LeaseKey } from "../store/queue/key.ts";
import type { Settlement } from "../store/queue/settle.ts";
import type { Lane } from "./lane.ts";
import type { Outcome } from "./outcome.ts";
import type { SignedRequest } from "./request.ts";
import type { Target } from "./targets.ts";

/** An attempt in flight. */
export interface Attempt {
  delivery: LeasedDelivery;
  lane: Lane;
  target: Target;
  request: SignedRequest;
  /** Unix milliseconds. */
  started_ms: number;
  /** When the attempt began, on the monotonic clock. */
  begun_ms: number;
  /** Whether the attempt counts against ATTEMPTS_SLOW_MAX instead of ATTEMPTS_IN_FLIGHT_MAX. */
  isSlow: boolean;
}

/**
 * Builds the settlement for an attempt, which says what happens to the delivery next and contains the attempt-log row.
 */
export function settlementOf(
  { delivery, request, started_ms }: Attempt,
  exchange: Exchange,
  { result, delay_ms, step, immediate, error }: Outcome,
): Settlement {
  const { status, note, response, timings, address } = exchange;
  return {
    ...leaseKey(delivery),
    outcome: result,
    delay_ms,
    step,
    immediate,
    reason: null,
    started_ms,
    duration_ms: timings.total,
    url: request.url,
    status,
    error: error?.word ?? null,
    error_code: error?.code ?? null,
    note,
    timings: JSON.stringify({ ...timings, address }),
    request_headers: request.logged,
    response_headers: response && JSON.stringify(response.headers),
    response_body: response && response.body.length > 0 ? response.body.toString("base64") : null,
    response_bytes: response?.bytes ?? null,
  };
}

/** Builds the settlement for a delivery that is canceled without an attempt, because it cannot be sent. */
export function cancellationOf(delivery: LeasedDelivery, reason: string): Settlement {
  const none = { status: null, error: null, error_code: null, note: null, response_headers: null, response_body: null };
  return {
    ...leaseKey(delivery),
    ...none,
    outcome: "canceled",
    delay_ms: 0,
    step: delivery.step,
    immediate: false,
    reason,
    started_ms: 0,
    duration_ms: null,
    url: null,
    timings: null,
    request_headers: null,
    response_bytes: null,
  };
}

/**
 * Returns the row's key and the number of the attempt it was leased for. A settle changes nothing unless both match.
 */
function leaseKey({ space_id, webhook_id, video_id, sequence, attempt }: LeaseKey): LeaseKey {
  return { space_id, webhook_id, video_id, sequence, attempt };
}

/**
 * The log level for each result: `warn` if no automatic retries are left, `info` if a retry follows, and `debug` for
 * successes, which are frequent.
 */
const LEVELS = { succeeded: "debug", retry: "info", failed: "warn" } as const satisfies Record<
  Outcome["result"],
  string
>;

/**
 * Logs one line per attempt, without the URL, headers, payload or response, because any of them may contain a secret.
 */
export function logAttempt(log: Log, { delivery }: Attempt, exchange: Exchange, outcome: Outcome): void {
  const { result, error, delay_ms } = outcome;
  const level = LEVELS[result];
  if (!log.isLevelEnabled(level)) return;
  const { webhook_id, id, attempt } = delivery;
  const ids = { webhook: shortUuid(webhook_id), delivery: shortUuid(id), attempt };
  const { status, timings } = exchange;
  const failure = { error: error?.word ?? null, error_code: error?.code ?? null };
  const retry = result === "retry" ? { retry_ms: delay_ms } : {};
  log[level]({ ...ids, outcome: result, status, ...failure, ...retry, ms: timings.total }, "Attempt ended");
}

/**
 * Records the span of a finished attempt as a child of its event's span, even if another node recorded the event. Like
 * the log line, the span contains neither the URL nor the payload. The request carries no `traceparent`, because the
 * receiver is a third party.
 */
export function traceAttempt(
  tracing: Tracing,
  { delivery, started_ms }: Attempt,
  { status, timings }: Exchange,
  { result, error }: Outcome,
): void {
  const { webhook_id, id, event_id, type, attempt, traceparent } = delivery;
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
  const span = tracing.begin({
    name: `attempt ${type}`,
    kind: "client",
    traceparent,
    begun_ms: started_ms,
    attributes,
  });
  span.end(started_ms + timings.total, {}, result !== "succeeded");
}
