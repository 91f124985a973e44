/** Synchronous verification and signing with Node's crypto. Mave's server uses this file to sign deliveries. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { MaveEvent } from "./events.ts";
import type { HeadersLike, RawBody } from "./input.ts";
import { oneShotHmac } from "./node-hmac.ts";
import { maveSignature, standardHeaders } from "./sign.ts";
import { type SignatureCheck, type VerifyOptions, verification } from "./verification.ts";

/** The synchronous version of `verify` from `@mave/webhooks`. */
export function verifySync(
  rawBody: RawBody,
  headers: HeadersLike,
  secrets: string | readonly string[],
  options?: VerifyOptions,
): MaveEvent {
  const steps = verification(rawBody, headers, secrets, options);
  let step = steps.next();
  while (!step.done) step = steps.next(anyMatches(step.value));
  return step.value;
}

function anyMatches({ key, body, signatures }: SignatureCheck): boolean {
  const expected = createHmac("sha256", key).update(body).digest();
  let found = false;
  for (const signature of signatures) if (timingSafeEqual(expected, signature)) found = true;
  return found;
}

export interface ToSign {
  /** The request body. */
  body: Uint8Array;
  /** The event's id, the same for every attempt. */
  id: string;
  /** Time of this attempt in Unix seconds. */
  time: number;
  /** The current secret, then the previous one while it is still valid. Each is `whsec_` followed by base64. */
  secrets: readonly string[];
}

/** Returns a delivery's signature headers for both schemes. Runs for every attempt and does not validate its input. */
export function signatureHeaders({ body, id, time, secrets }: ToSign) {
  const mave: string[] = [];
  const standard: string[] = [];
  for (const secret of secrets) {
    mave.push(oneShotHmac(Buffer.from(`${time}.${secret}`), "", body, "hex"));
    const key = Buffer.from(secret.slice("whsec_".length), "base64");
    standard.push(`v1,${oneShotHmac(key, `${id}.${time}.`, body, "base64")}`);
  }
  return { "Mave-Signature": maveSignature(time, mave), ...standardHeaders(id, time, standard) };
}
