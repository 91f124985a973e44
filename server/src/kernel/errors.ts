/**
 * Every error that a caller can meet: its stable code, HTTP status and the sentence for its kind.
 * What is particular (which field, which id) comes as `detail`; it never holds a secret, a payload, a path or SQL.
 */
export const ERRORS = {
  REQUEST_INVALID: [422, "Some fields are not valid."],
  REQUEST_MALFORMED: [400, "The request could not be read."],
  REQUEST_TOO_LARGE: [413, "The request body is too large."],
  REQUEST_UNSUPPORTED: [415, "This content type or encoding is not accepted here."],
  REQUEST_TIMEOUT: [408, "The request did not arrive in time."],
  RATE_LIMITED: [429, "Too many requests."],
  HOST_UNKNOWN: [421, "This server does not answer for that host name."],
  KEY_MISSING: [401, "Sign in, or send an API key."],
  KEY_INVALID: [401, "This API key is not known, or has been deleted."],
  SCOPE_INSUFFICIENT: [403, "This API key may only read."],
  PERSON_NEEDED: [403, "This is for a person who may do it."],
  SIGN_IN_FAILED: [401, "Email or password is wrong."],
  LINK_INVALID: [410, "This link has been used already or has expired."],
  ORIGIN_REFUSED: [403, "A signed-in request must come from the dashboard's own pages."],
  NOT_FOUND: [404, "There is nothing with this id here."],
  ROUTE_UNKNOWN: [404, "There is no such address in this API."],
  METHOD_UNKNOWN: [405, "This address does not take that method."],
  CONFLICT: [409, "That is not possible in the present state."],
  OWNER_EXISTS: [409, "This server has an owner already."],
  IDEMPOTENCY_MISMATCH: [422, "This Idempotency-Key was used for a different request."],
  IDEMPOTENCY_BUSY: [409, "A request with this Idempotency-Key is still being answered."],
  URL_REFUSED: [422, "This URL cannot be registered."],
  DELIVERY_BUSY: [409, "This delivery is being sent right now."],
  DELIVERY_CANCELED: [409, "This delivery was canceled and cannot be sent."],
  DELIVERY_WAITING: [409, "An earlier event of this video has to be delivered first."],
  DELIVERY_GONE: [410, "The event of this delivery is no longer kept, or was erased."],
  UPLOAD_CONFLICT: [409, "Another upload to this video is being received."],
  UPLOAD_EMPTY: [422, "The file is empty."],
  FORMAT_UNSUPPORTED: [501, "This is not answered in that format."],
  LIMIT_REACHED: [409, "This space has as many of these as it may have."],
  STORE_UNAVAILABLE: [503, "The database does not answer. Nothing was changed; try again shortly."],
  STORAGE_FULL: [507, "The disk is full. Nothing was changed."],
  SHUTTING_DOWN: [503, "The server is shutting down. Try again shortly."],
  INTERNAL: [500, "Something failed inside the server; its log names the cause."],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ErrorCode = keyof typeof ERRORS;

/** One bad field of a request. `path` is a JSON pointer, `""` for the body itself. */
export interface FieldError {
  path: string;
  detail: string;
}

/** An expected failure on its way to a caller. A bug is never a MaveError. */
export class MaveError extends Error {
  override readonly name = "MaveError";
  readonly code: ErrorCode;
  readonly status: number;
  readonly title: string;
  readonly errors: readonly FieldError[];
  readonly retryAfter_s: number | undefined;

  /** @param detail one sentence: which one, why, and what to do next */
  constructor(
    code: ErrorCode,
    detail?: string,
    more: { errors?: FieldError[]; retryAfter_s?: number; cause?: unknown } = {},
  ) {
    const [status, title] = ERRORS[code];
    super(detail ?? title, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.status = status;
    this.title = title;
    this.errors = more.errors ?? [];
    this.retryAfter_s = more.retryAfter_s;
  }
}
