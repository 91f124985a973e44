/** The same as the core, without promises, on Node's own crypto. Mave itself signs with this file. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { MaveEvent } from "./events.ts";
import type { HeadersLike, RawBody } from "./input.ts";
import { oneShotHmac } from "./node-hmac.ts";
import { maveSignature, standardHeaders } from "./sign.ts";
import { type Question, type VerifyOptions, verification } from "./verification.ts";

/** As `verify` of `@mave/webhooks`, but returns at once. */
export function verifySync(
  rawBody: RawBody,
  headers: HeadersLike,
  secrets: string | readonly string[],
  options?: VerifyOptions,
): MaveEvent {
  const steps = verification(rawBody, headers, secrets, options);
  let step = steps.next();
  while (!step.done) step = steps.next(response(step.value));
  return step.value;
}

function response({ key, body, signatures }: Question): boolean {
  const expected = createHmac("sha256", key).update(body).digest();
  let found = false;
  for (const signature of signatures) if (timingSafeEqual(expected, signature)) found = true;
  return found;
}

export interface ToSign {
  /** The bytes that will be sent. */
  body: Uint8Array;
  /** The same for every attempt. */
  id: string;
  /** Unix seconds of this attempt. */
  time: number;
  /** `whsec_` and base64 each; newest first, the old one too while it is valid. */
  secrets: readonly string[];
}

/** The four headers that prove a delivery, in both schemes. The sender's hot path: it checks nothing. */
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
