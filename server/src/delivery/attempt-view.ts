import { unixSeconds } from "../kernel/clock.ts";
import { ERROR_WORDS, type ErrorWord } from "../net/error-words.ts";
import type { AttemptRow } from "../store/attempts.ts";

/** The API's representation of an attempt, which is one HTTP request made for a delivery. */
export interface AttemptView {
  object: "attempt";
  number: number;
  /** In Unix seconds; `started_ms` is the same time in milliseconds. */
  started: number;
  started_ms: number;
  outcome: "succeeded" | "retry" | "failed" | "canceled";
  url: string;
  status: number | null;
  error: { word: string; code: string | null; message: string } | null;
  note: string | null;
  /** In milliseconds. */
  timings: {
    dns: number | null;
    connect: number | null;
    tls: number | null;
    first_byte: number | null;
    total: number | null;
    reused: boolean;
  };
  address: string | null;
  request: { headers: Record<string, string>; body: string };
  response: {
    headers: [name: string, value: string][];
    body: string;
    encoding: "utf8" | "base64";
    bytes: number;
    cut: boolean;
  } | null;
}

const NO_TIMINGS = { dns: null, connect: null, tls: null, first_byte: null, total: null, reused: false, address: null };

/**
 * @param body the event's payload exactly as recorded. It is the same for every attempt, so attempts do not store it.
 */
export function presentAttempt(row: AttemptRow, body: string): AttemptView {
  const { address, ...timings } = row.timings ?? NO_TIMINGS;
  const started_ms = row.started_at.getTime();
  const { error, error_code: code, response_status: status } = row;
  return {
    object: "attempt",
    number: row.attempt,
    started: unixSeconds(started_ms),
    started_ms,
    outcome: row.outcome,
    url: row.url,
    status,
    error: error === null ? null : { word: error, code, message: messageOf(error, status) },
    note: row.note,
    timings,
    address,
    request: { headers: row.request_headers ?? {}, body },
    response: presentResponse(row),
  };
}

function presentResponse({ response_headers, response_body, response_bytes }: AttemptRow): AttemptView["response"] {
  if (response_headers === null) return null;
  const bytes = response_body ?? Buffer.alloc(0);
  const read = response_bytes ?? bytes.length;
  return { headers: response_headers, ...textOf(bytes), bytes: read, cut: read > bytes.length };
}

/**
 * Decodes a body as UTF-8, even if it was cut off in the middle of a character. Falls back to base64 if it is not valid
 * UTF-8.
 */
function textOf(bytes: Buffer): { body: string; encoding: "utf8" | "base64" } {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    return { body: decoder.decode(bytes, { stream: true }), encoding: "utf8" };
  } catch {
    return { body: bytes.toString("base64"), encoding: "base64" };
  }
}

function messageOf(word: string, status: number | null): string {
  if (word === "status" && status !== null)
    return `The receiver responded with ${status}; only a 2xx acknowledges the event.`;
  return ERROR_WORDS[word as ErrorWord] ?? "The attempt failed.";
}
