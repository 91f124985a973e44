import type { MaveEvent } from "./events.ts";
import { response } from "./hmac.ts";
import type { HeadersLike, RawBody } from "./input.ts";
import { type VerifyOptions, verification } from "./verification.ts";

/**
 * Verifies a request from Mave and returns its event. Runs wherever WebCrypto does.
 * @param rawBody the bytes as they arrived: never parsed and written again
 * @param headers those of the request; only `Mave-Signature` is read
 * @param secrets the webhook's secret, or both during a rotation
 * @throws WebhookVerificationError with a `code` and a sentence that says what to do
 */
export async function verify(
  rawBody: RawBody,
  headers: HeadersLike,
  secrets: string | readonly string[],
  options?: VerifyOptions,
): Promise<MaveEvent> {
  const steps = verification(rawBody, headers, secrets, options);
  let step = steps.next();
  while (!step.done) step = steps.next(await response(step.value));
  return step.value;
}
