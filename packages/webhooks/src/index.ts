/** Verifies webhook requests, returns their typed events, and signs requests for tests. */
export { type Delivery, deliveryOf } from "./delivery.ts";
export { REASONS, type ReasonCode, WebhookVerificationError } from "./errors.ts";
export type * from "./events.ts";
export type { HeadersLike, RawBody } from "./input.ts";
export { type SignOptions, sign } from "./sign.ts";
export type { VerifyOptions } from "./verification.ts";
export { verify } from "./verify.ts";
