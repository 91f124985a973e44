/**
 * Why a request was not taken for a webhook of Mave: a stable code, the HTTP status that an adapter answers with, and
 * the sentence that says what to do. 5xx marks a mistake on the receiver's own side.
 */
export const REASONS = {
  BODY_PARSED: [
    500,
    'The body was parsed before it could be verified, and a parser\'s output no longer has the bytes that were signed. Pass the raw body: express.raw({ type: "application/json" }), await request.text(), or an adapter such as @mave/webhooks/express, placed before any JSON parser.',
  ],
  BODY_EMPTY: [400, "The body is empty. Either nothing was sent, or something else read the stream first."],
  BODY_TOO_LARGE: [413, "The body is larger than this receiver reads."],
  BODY_RESERIALIZED: [
    500,
    "The JSON is the one that was signed, but it was parsed and written again on the way here, which changed its bytes. Pass the body exactly as it arrived.",
  ],
  BODY_TRIMMED: [
    500,
    "White space at the end of the body was added or removed on the way here. Pass the body exactly as it arrived.",
  ],
  SECRET_MISSING: [500, "No secret was given. Is the environment variable set where this process runs?"],
  SECRET_WHITESPACE: [
    500,
    "The secret contains white space, such as a newline that came along when it was copied or read from a file. Trim it.",
  ],
  SECRET_QUOTED: [500, "The secret is wrapped in quotes. Remove them where the secret is set."],
  SECRET_PREFIX_MISSING: [500, 'The secret lacks its beginning. Use the whole of it, "whsec_" included.'],
  HEADER_MISSING: [
    400,
    "There is no Mave-Signature header. Either Mave did not send this request, or a proxy removed the header.",
  ],
  HEADER_STANDARD_ONLY: [
    400,
    "There are Standard Webhooks headers but no Mave-Signature. Mave sends both: either another product sent this, or a proxy removed the header. A Standard Webhooks library can verify what is left.",
  ],
  HEADER_MALFORMED: [400, "Mave-Signature cannot be read."],
  SIGNATURE_MISMATCH: [401, "No signature matches."],
  TIME_TOO_OLD: [401, "The signature is right but too old."],
  TIME_TOO_NEW: [401, "The signature is right but from the future."],
  EVENT_INVALID: [400, "The signature is right, but the body is not a JSON object."],
} as const satisfies Record<string, readonly [status: number, sentence: string]>;

export type ReasonCode = keyof typeof REASONS;

/** A request that must not be trusted. `code` is stable; `message` is for the people who read the log. */
export class WebhookVerificationError extends Error {
  override readonly name = "WebhookVerificationError";
  readonly code: ReasonCode;
  /** What to answer the sender with; adapters do. */
  readonly status: number;

  constructor(code: ReasonCode, detail?: string) {
    super(detail ?? REASONS[code][1]);
    this.code = code;
    this.status = REASONS[code][0];
  }
}
