/** The receiver's side of Mave's webhooks: verify a request, get a typed event; sign one for a test. */
export { type Delivery, deliveryOf } from "./delivery.ts";
export { REASONS, type ReasonCode, WebhookVerificationError } from "./errors.ts";
export type * from "./events.ts";
export type { HeadersLike, RawBody } from "./input.ts";
export { type SignOptions, sign } from "./sign.ts";
export type { VerifyOptions } from "./verification.ts";
export { verify } from "./verify.ts";
