import type { MaveEvent } from "./events.ts";
import { bytesOf, type HeadersLike, headerOf, type RawBody, refuse, secretsOf } from "./input.ts";
import { readSignatureHeader, type SignatureHeader } from "./signature-header.ts";

export interface VerifyOptions {
  /** How far the signature's time may be from now, past or future, in seconds. Default 300. */
  tolerance?: number;
  /** The present, in Unix seconds; for tests. Default: the clock. */
  now?: number;
}

/** Asks: is any of `signatures` the HMAC-SHA256 of `body` under `key`? To be answered in constant time. */
export interface Question {
  key: string;
  body: Uint8Array;
  signatures: readonly Uint8Array[];
}

export type Verification = Generator<Question, MaveEvent, boolean>;

/**
 * The whole decision, without cryptography: it yields questions and is resumed with their responses, so that WebCrypto
 * (which must be awaited) and Node's crypto (which need not) share one order of steps. The time is judged after the
 * signature, so that "too old" is only ever said of a time that Mave did write.
 */
export function* verification(
  rawBody: RawBody,
  headers: HeadersLike,
  secrets: string | readonly string[],
  { tolerance = 300, now = Math.floor(Date.now() / 1000) }: VerifyOptions = {},
): Verification {
  const keys = secretsOf(secrets);
  const body = bytesOf(rawBody);
  const header = readSignatureHeader(headerOf(headers, "mave-signature") ?? noHeader(headers));
  let matched = false;
  for (const secret of keys) matched ||= yield question(header, secret, body);
  if (!matched) yield* explainMismatch(header, keys, body);
  checkTime(header.time, tolerance, now);
  return parse(body);
}

const question = ({ t, signatures }: SignatureHeader, secret: string, body: Uint8Array): Question => ({
  key: `${t}.${secret}`,
  body,
  signatures,
});

const noHeader = (headers: HeadersLike) =>
  refuse(headerOf(headers, "webhook-signature") === null ? "HEADER_MISSING" : "HEADER_STANDARD_ONLY");

/** Finds out what went wrong by trying what usually goes wrong. Every branch refuses; the work is bounded. */
function* explainMismatch(
  header: SignatureHeader,
  secrets: readonly string[],
  body: Uint8Array,
): Generator<Question, void, boolean> {
  for (const secret of secrets.slice(0, 4)) {
    if (yield question(header, `whsec_${secret}`, body)) refuse("SECRET_PREFIX_MISSING");
    const text = new TextDecoder().decode(body);
    for (const variant of [`${text}\n`, `${text}\r\n`, text.trimEnd()]) {
      if (yield question(header, secret, new TextEncoder().encode(variant))) refuse("BODY_TRIMMED");
    }
    const compact = rewritten(text);
    if (compact !== null && (yield question(header, secret, compact))) refuse("BODY_RESERIALIZED");
  }
  const [n, k] = [header.signatures.length, secrets.length];
  refuse(
    "SIGNATURE_MISMATCH",
    `${n === 1 ? "The signature" : `None of the ${n} signatures`} in Mave-Signature ${n === 1 ? "was not" : "was"} made with ${k === 1 ? "the secret given here" : `any of the ${k} secrets given here`}. Compare it with the secret of this very webhook (each has its own, and rotation replaces it); if it is the same, the body was changed on the way.`,
  );
}

/** Mave writes compact JSON: what a pretty-printer or another language's encoder made of it becomes that again. */
function rewritten(text: string): Uint8Array | null {
  try {
    return new TextEncoder().encode(JSON.stringify(JSON.parse(text)));
  } catch {
    return null; // not JSON, so not rewritten JSON
  }
}

function checkTime(time: number, tolerance: number, now: number): void {
  if (!(tolerance >= 0)) throw new TypeError("tolerance must be a number of seconds, 0 or more");
  if (!(now >= 0 && now < 1e11)) throw new TypeError("now must be a Unix time in seconds");
  const age = now - time;
  if (Math.abs(age) <= tolerance) return;
  const [code, off] = age > 0 ? (["TIME_TOO_OLD", "ago"] as const) : (["TIME_TOO_NEW", "from now"] as const);
  refuse(
    code,
    `The signature is right, but its time is ${inWords(Math.abs(age))} ${off}, and ${inWords(tolerance)} are allowed. Is this machine's clock right? If so, the request was ${age > 0 ? "held back or replayed" : "signed by a machine whose clock is not"}.`,
  );
}

function inWords(seconds: number): string {
  const [minutes, rest] = [Math.floor(seconds / 60), Math.round(seconds % 60)];
  return minutes === 0 ? `${rest} s` : `${minutes} min${rest === 0 ? "" : ` ${rest} s`}`;
}

function parse(body: Uint8Array): MaveEvent {
  try {
    const event: unknown = JSON.parse(new TextDecoder().decode(body));
    if (typeof event === "object" && event !== null && !Array.isArray(event)) return event as MaveEvent;
  } catch {
    // told below, as for any other text that is no JSON object
  }
  return refuse("EVENT_INVALID");
}
