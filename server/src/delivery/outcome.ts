import { LIMITS } from "../kernel/limits.ts";
import type { ErrorWord } from "../net/error-words.ts";
import type { Exchange } from "../net/exchange.ts";
import { retryDelay_ms } from "./retry-schedule.ts";

/** The result of an attempt and what happens next. */
export interface Outcome {
  result: "succeeded" | "retry" | "failed";
  error: { word: ErrorWord; code: string } | null;
  /** The delay before the retry if `result` is `retry`. In that case, `step` is the new step of the schedule. */
  delay_ms: number;
  step: number;
  /**
   * Whether the retry follows immediately and uses no step, because the connection was being closed when the request
   * was sent.
   */
  immediate: boolean;
  /** Whether this was an early retry that failed, so that its delivery returns to its schedule. */
  isEarly: boolean;
  /** Whether the receiver responded with 410 Gone, which means that its webhook must be disabled. */
  isGone: boolean;
  /** Whether to reduce the number of attempts in flight, because there was no response, or it was a 429 or 503. */
  isOverloaded: boolean;
  /** How long the receiver asked this server to wait before sending another request (Retry-After). */
  rest_ms: number;
}

export interface Circumstances {
  /** How many steps of the schedule were used before this attempt. */
  step: number;
  /** Whether this attempt was itself an immediate retry. */
  immediate: boolean;
  /**
   * How long before its scheduled time an early retry ended, in ms; null if this was not an early retry. An early retry
   * that fails uses no step, and its delivery returns to its schedule.
   */
  early_ms: number | null;
  schedule_s: readonly number[];
  /** Drawn uniformly from [0, 1). */
  fraction: number;
  now_ms: number;
}

/**
 * Decides the outcome of an attempt. An attempt succeeds if and only if the status is 2xx, even if the response body
 * could not be read.
 */
export function decide(exchange: Exchange, circumstances: Circumstances): Outcome {
  const { status, error } = exchange;
  const { step, early_ms, schedule_s, fraction, now_ms } = circumstances;
  const isOverloaded = status === null || status === 429 || status === 503;
  const base = {
    error,
    step,
    delay_ms: 0,
    rest_ms: 0,
    immediate: false,
    isEarly: false,
    isGone: status === 410,
    isOverloaded,
  };
  if (error === null) return { ...base, result: "succeeded" };
  if (isKeepAliveRace(exchange) && !circumstances.immediate)
    return { ...base, result: "retry", immediate: true, isOverloaded: false };
  // This server's shutdown is not the receiver's fault, so the next node sends the delivery immediately.
  if (error?.word === "stopped") return { ...base, result: "retry", isOverloaded: false };
  const rest_ms = status !== null && isOverloaded ? retryAfter_ms(exchange, now_ms) : 0;
  if (early_ms !== null)
    return { ...base, result: "retry", isEarly: true, delay_ms: Math.max(early_ms, rest_ms), rest_ms };
  const scheduled_ms = retryDelay_ms(schedule_s, step, fraction);
  if (scheduled_ms === null) return { ...base, result: "failed", rest_ms };
  return { ...base, result: "retry", step: step + 1, delay_ms: Math.max(scheduled_ms, rest_ms), rest_ms };
}

function isKeepAliveRace({ status, error, timings }: Exchange): boolean {
  return (
    status === null && error?.word === "connection_reset" && timings.reused && timings.total < LIMITS.KEEP_ALIVE_RACE_MS
  );
}

/**
 * Parses Retry-After as seconds or an HTTP date (RFC 9110 §10.2.3). Returns 0 if the header is missing or invalid, and
 * never more than RETRY_AFTER_MAX_MS.
 */
function retryAfter_ms({ response }: Exchange, now_ms: number): number {
  const value = response?.headers.find(([name]) => name.toLowerCase() === "retry-after")?.[1].trim() ?? "";
  const asked_ms = /^\d{1,9}$/.test(value)
    ? Number(value) * 1000
    : HTTP_DATE.test(value)
      ? Date.parse(value) - now_ms
      : 0;
  return Number.isFinite(asked_ms) ? Math.min(Math.max(asked_ms, 0), LIMITS.RETRY_AFTER_MAX_MS) : 0;
}

/** Date.parse alone accepts almost anything, such as "2" or "May 1". */
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /;
