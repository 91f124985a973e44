import type { Exchange } from "../net/exchange.ts";
import type { LeasedDelivery } from "../store/queue/claim.ts";
import type { Settlement } from "../store/queue/settle.ts";
import type { Outcome } from "./outcome.ts";
import type { SignedRequest } from "./request.ts";

/** What the settle writes of an attempt: the door through which a delivery's state leaves `sending`. */
export function settlementOf(
  job: LeasedDelivery,
  request: SignedRequest,
  started_ms: number,
  exchange: Exchange,
  verdict: Outcome,
): Settlement {
  const { result, delay_ms, step, again, error } = verdict;
  const { response, timings, address } = exchange;
  return {
    ...fence(job),
    outcome: result,
    delay_ms,
    step,
    again,
    reason: null,
    started_ms,
    duration_ms: timings.total,
    url: request.url,
    status: exchange.status,
    error: error?.word ?? null,
    error_code: error?.code ?? null,
    note: exchange.note,
    timings: JSON.stringify({ ...timings, address }),
    request_headers: request.logged,
    response_headers: response && JSON.stringify(response.headers),
    response_body: response && response.body.length > 0 ? response.body.toString("base64") : null,
    response_bytes: response?.bytes ?? null,
  };
}

/** The end of a delivery that is not sent any more. */
export function cancellation(job: LeasedDelivery, reason: string): Settlement {
  const none = { status: null, error: null, error_code: null, note: null, response_headers: null, response_body: null };
  return {
    ...fence(job),
    ...none,
    outcome: "canceled",
    delay_ms: 0,
    step: job.step,
    again: false,
    reason,
    started_ms: 0,
    duration_ms: null,
    url: null,
    timings: null,
    request_headers: null,
    response_bytes: null,
  };
}

/** The row's key and the attempt it was leased for: a settle that does not match changes nothing. */
function fence({ space_id, webhook_id, video_id, sequence, attempt }: LeasedDelivery) {
  return { space_id, webhook_id, video_id, sequence, attempt };
}
