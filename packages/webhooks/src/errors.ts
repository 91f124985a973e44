/**
 * The reasons for rejecting a request. Each has a stable code, the HTTP status that adapters respond with, and a
 * message that explains how to fix the problem. A 5xx status means that the receiver itself is misconfigured.
 */
export const REASONS = {
  BODY_PARSED: [
    500,
    'The body was parsed before it was verified, so the signed bytes are gone. Pass the raw body: express.raw({ type: "application/json" }), await request.text(), or an adapter such as @mave/webhooks/express placed before any JSON parser.',
  ],
  BODY_EMPTY: [400, "The body is empty. Either nothing was sent, or other code has already read the stream."],
  BODY_TOO_LARGE: [413, "The body exceeds this receiver's size limit."],
  BODY_RESERIALIZED: [
    500,
    "The body holds the signed JSON, but it was parsed and serialized again, which changed its bytes. Pass the raw body as it arrived.",
  ],
  BODY_TRIMMED: [500, "Whitespace was added to or removed from the end of the body. Pass the raw body as it arrived."],
  SECRET_MISSING: [500, "No secret was passed. Check that its environment variable is set in this process."],
  SECRET_WHITESPACE: [
    500,
    "The secret contains whitespace, often a trailing newline from copying it or reading it from a file. Trim it.",
  ],
  SECRET_QUOTED: [500, "The secret is wrapped in quotes. Remove the quotes where the secret is set."],
  SECRET_PREFIX_MISSING: [500, 'The secret is missing its "whsec_" prefix. Pass the whole secret.'],
  HEADER_MISSING: [
    400,
    "The Mave-Signature header is missing. Either Mave did not send this request, or a proxy removed the header.",
  ],
  HEADER_STANDARD_ONLY: [
    400,
    "The request has Standard Webhooks headers but no Mave-Signature. Mave sends both, so either another product sent this request or a proxy removed the header. A Standard Webhooks library can verify the remaining headers.",
  ],
  HEADER_MALFORMED: [400, "The Mave-Signature header is malformed."],
  SIGNATURE_MISMATCH: [401, "No signature matches."],
  TIME_TOO_OLD: [401, "The signature is valid but too old."],
  TIME_TOO_NEW: [401, "The signature is valid but its time is in the future."],
  EVENT_INVALID: [400, "The signature is valid, but the body is not a JSON object."],
} as const satisfies Record<string, readonly [status: number, message: string]>;

export type ReasonCode = keyof typeof REASONS;

/**
 * Thrown for a request that must not be trusted. Branch on `code`, which is stable; log `message`, whose wording may
 * change.
 */
export class WebhookVerificationError extends Error {
  override readonly name = "WebhookVerificationError";
  readonly code: ReasonCode;
  /** The HTTP status to respond with. The adapters do this for you. */
  readonly status: number;

  constructor(code: ReasonCode, detail?: string) {
    super(detail ?? REASONS[code][1]);
    this.code = code;
    this.status = REASONS[code][0];
  }
}
