import type { MaveEvent } from "./events.ts";
import { hmac } from "./hmac.ts";
import type { HeadersLike, RawBody } from "./input.ts";
import { type SignatureCheck, type VerifyOptions, verification } from "./verification.ts";

/**
 * Verifies a request from Mave and returns its event. Runs on any platform with WebCrypto.
 * @param rawBody the body exactly as received, not parsed and serialized again
 * @param headers the request's headers; only `Mave-Signature` is read
 * @param secrets the webhook's secret, or both secrets during a rotation
 * @throws WebhookVerificationError with a stable `code` and a message that explains the fix
 */
export async function verify(
  rawBody: RawBody,
  headers: HeadersLike,
  secrets: string | readonly string[],
  options?: VerifyOptions,
): Promise<MaveEvent> {
  const steps = verification(rawBody, headers, secrets, options);
  let step = steps.next();
  while (!step.done) step = steps.next(await anyMatches(step.value));
  return step.value;
}

/** Computes one HMAC regardless of the number of signatures, so a header with many signatures costs no more. */
async function anyMatches({ key, body, signatures }: SignatureCheck): Promise<boolean> {
  const expected = await hmac(new TextEncoder().encode(key), body);
  let found = false;
  for (const signature of signatures) if (equalInConstantTime(expected, signature)) found = true;
  return found;
}

/** Compares two arrays of 32 bytes. Always compares all bytes, so the duration does not reveal where they differ. */
function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (let index = 0; index < 32; index++) difference |= a[index]! ^ b[index]!;
  return difference === 0;
}
