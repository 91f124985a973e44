import type { MaveEvent } from "./events.ts";
import { bytesOf, type HeadersLike, headerOf, type RawBody, refuse, secretsOf } from "./input.ts";
import { readSignatureHeader, type SignatureHeader } from "./signature-header.ts";

export interface VerifyOptions {
  /** Maximum difference between the signature's time and the current time, in seconds. Default: 300. */
  tolerance?: number;
  /** The current time in Unix seconds, for tests. Default: the system clock's time. */
  now?: number;
}

/** A request to check, in constant time, whether any of `signatures` is the HMAC-SHA256 of `body` under `key`. */
export interface SignatureCheck {
  key: string;
  body: Uint8Array;
  signatures: readonly Uint8Array[];
}

export type Verification = Generator<SignatureCheck, MaveEvent, boolean>;

/**
 * Verifies a request but leaves the cryptography to the caller, by yielding each signature check and resuming with the
 * result. This way, WebCrypto, which is asynchronous, and Node's synchronous crypto can share the code. The time is
 * checked after the signature, so that "too old" is reported only for a time that Mave signed.
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
  for (const secret of keys) matched ||= yield check(header, secret, body);
  if (!matched) yield* explainMismatch(header, keys, body);
  checkTime(header.time, tolerance, now);
  return parse(body);
}

const check = ({ t, signatures }: SignatureHeader, secret: string, body: Uint8Array): SignatureCheck => ({
  key: `${t}.${secret}`,
  body,
  signatures,
});

const noHeader = (headers: HeadersLike) =>
  refuse(headerOf(headers, "webhook-signature") === null ? "HEADER_MISSING" : "HEADER_STANDARD_ONLY");

/** Diagnoses a mismatch by checking for common mistakes, in a bounded number of steps. Always throws. */
function* explainMismatch(
  header: SignatureHeader,
  secrets: readonly string[],
  body: Uint8Array,
): Generator<SignatureCheck, void, boolean> {
  for (const secret of secrets.slice(0, 4)) {
    if (yield check(header, `whsec_${secret}`, body)) refuse("SECRET_PREFIX_MISSING");
    const text = new TextDecoder().decode(body);
    for (const variant of [`${text}\n`, `${text}\r\n`, text.trimEnd()]) {
      if (yield check(header, secret, new TextEncoder().encode(variant))) refuse("BODY_TRIMMED");
    }
    const compact = reserialized(text);
    if (compact !== null && (yield check(header, secret, compact))) refuse("BODY_RESERIALIZED");
  }
  const [n, k] = [header.signatures.length, secrets.length];
  refuse(
    "SIGNATURE_MISMATCH",
    `${n === 1 ? "The signature in Mave-Signature does not match" : `None of the ${n} signatures in Mave-Signature matches`} ${k === 1 ? "the secret" : `any of the ${k} secrets`} passed here. Check that the secret belongs to this webhook and has not been rotated; if it is correct, the body was changed in transit.`,
  );
}

/** Encodes the body as compact JSON, which is what Mave signs, in case the body was pretty-printed or re-encoded. */
function reserialized(text: string): Uint8Array | null {
  try {
    return new TextEncoder().encode(JSON.stringify(JSON.parse(text)));
  } catch {
    return null; // not JSON
  }
}

function checkTime(time: number, tolerance: number, now: number): void {
  if (!(tolerance >= 0)) throw new TypeError("tolerance must be a number of seconds, 0 or more");
  if (!(now >= 0 && now < 1e11)) throw new TypeError("now must be a Unix time in seconds");
  const age = now - time;
  if (Math.abs(age) <= tolerance) return;
  const isOld = age > 0;
  refuse(
    isOld ? "TIME_TOO_OLD" : "TIME_TOO_NEW",
    `The signature is valid, but its time is ${inWords(Math.abs(age))} ${isOld ? "ago" : "in the future"}; the limit is ${inWords(tolerance)}. Check this machine's clock. If it is correct, the request was ${isOld ? "delayed or replayed" : "signed by a machine whose clock is ahead"}.`,
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
    // not JSON; rejected below
  }
  return refuse("EVENT_INVALID");
}
