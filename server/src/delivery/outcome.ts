import type { ErrorWord } from "../net/error-words.ts";
import type { Exchange } from "../net/exchange.ts";
import { retryDelay_ms } from "./retry-schedule.ts";

/** What follows from an attempt. */
export interface Outcome {
  result: "succeeded" | "retry" | "failed";
  error: { word: ErrorWord; code: string } | null;
  /** Of a retry: after how long, and the step of the schedule it is then at. */
  delay_ms: number;
  step: number;
  /** The retry follows at once and uses no step: the connection was closed while the request was on its way. */
  again: boolean;
  /** The receiver wants no more: its webhook is to be disabled. */
  gone: boolean;
  /** It answered in its own time; otherwise fewer attempts should be under way at once. */
  atEase: boolean;
  /** For how long the receiver asked to be left alone. */
  rest_ms: number;
}

export interface Circumstances {
  /** Steps of the schedule used before this attempt. */
  step: number;
  /** This attempt was itself such an immediate repetition. */
  repeated: boolean;
  schedule_s: readonly number[];
  /** Drawn evenly from [0, 1). */
  fraction: number;
  now_ms: number;
}

const RETRY_AFTER_MAX_MS = 86_400_000;
/** A reused connection that breaks sooner than this was being closed by the receiver, who has not seen the request. */
const RACE_MS = 1_000;

/** Judges an attempt. 2xx is success, whatever became of the body, and nothing else is. */
export function decide(exchange: Exchange, circumstances: Circumstances): Outcome {
  const { status } = exchange;
  const verdict = { error: exchange.error, step: circumstances.step, delay_ms: 0, rest_ms: 0, again: false };
  const atEase = status !== null && !overloaded(status);
  if (status !== null && status >= 200 && status < 300) return { ...verdict, result: "succeeded", gone: false, atEase };
  if (isKeepAliveRace(exchange) && !circumstances.repeated)
    return { ...verdict, result: "retry", again: true, gone: false, atEase: true };
  const gone = status === 410;
  const { step, schedule_s, fraction, now_ms } = circumstances;
  const scheduled_ms = retryDelay_ms(schedule_s, step, fraction);
  const rest_ms = status !== null && overloaded(status) ? retryAfter_ms(exchange, now_ms) : 0;
  if (scheduled_ms === null) return { ...verdict, result: "failed", gone, atEase, rest_ms };
  const delay_ms = Math.max(scheduled_ms, rest_ms);
  return { ...verdict, result: "retry", step: step + 1, delay_ms, gone, atEase, rest_ms };
}

const overloaded = (status: number): boolean => status === 429 || status === 503;

function isKeepAliveRace({ status, error, timings }: Exchange): boolean {
  return status === null && error?.word === "connection_reset" && timings.reused && timings.total < RACE_MS;
}

/** Seconds, or an HTTP date (RFC 9110 §10.2.3); 0 where it is missing or senseless; at most a day. */
function retryAfter_ms({ response }: Exchange, now_ms: number): number {
  const value = response?.headers.find(([name]) => name.toLowerCase() === "retry-after")?.[1].trim() ?? "";
  const asked_ms = /^\d{1,9}$/.test(value)
    ? Number(value) * 1000
    : HTTP_DATE.test(value)
      ? Date.parse(value) - now_ms
      : 0;
  return Number.isFinite(asked_ms) ? Math.min(Math.max(asked_ms, 0), RETRY_AFTER_MAX_MS) : 0;
}

/** Date.parse alone would take almost anything, "2" and "May 1" too. */
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /;
