/**
 * Every error that the API returns: a stable code, the HTTP status, a title for the kind of error, and the default
 * `detail`. A `detail` says what went wrong, why, and what to do about it, and never contains a secret, a payload, a
 * path or SQL.
 */
export const ERRORS = {
  REQUEST_INVALID: [422, "Invalid fields", "Some fields are invalid. `errors` lists each of them."],
  REQUEST_MALFORMED: [400, "Malformed request", "The request could not be parsed."],
  REQUEST_TOO_LARGE: [413, "Request body too large", "The request body is too large."],
  REQUEST_UNSUPPORTED: [415, "Unsupported media type", "This route does not accept this content type or encoding."],
  REQUEST_TIMEOUT: [408, "Request timeout", "The request did not arrive in time. Send it again."],
  RATE_LIMITED: [429, "Too many requests", "Too many requests. Try again later."],
  HOST_UNKNOWN: [421, "Unknown host", "This server does not serve this host name."],
  KEY_MISSING: [401, "Authentication required", "Sign in, or send an API key as `Authorization: Bearer mave_…`."],
  KEY_INVALID: [401, "Invalid API key", "This API key does not exist or was deleted."],
  SCOPE_INSUFFICIENT: [403, "Insufficient scope", "This API key is read-only. Use a key with the scope `write`."],
  PERSON_NEEDED: [403, "Forbidden", "This action needs a signed-in member with permission."],
  SIGN_IN_FAILED: [401, "Sign-in failed", "The email or password is incorrect."],
  LINK_INVALID: [410, "Invalid link", "This link was already used or has expired."],
  ORIGIN_REFUSED: [403, "Origin not allowed", "A request with a session cookie must come from the dashboard's pages."],
  NOT_FOUND: [404, "Not found", "Nothing in this space has this id."],
  ROUTE_UNKNOWN: [404, "No such route", "The API has no route with this path. See /docs for all routes."],
  METHOD_UNKNOWN: [405, "Method not allowed", "This route does not support this method. See the Allow header."],
  CONFLICT: [409, "Conflict", "The resource's current state does not allow this request."],
  OWNER_EXISTS: [409, "Owner exists", "This server already has an owner. Ask the owner for an invitation."],
  IDEMPOTENCY_MISMATCH: [
    422,
    "Idempotency key reused",
    "This Idempotency-Key was used for a different request. Use a new key for each new request.",
  ],
  IDEMPOTENCY_BUSY: [
    409,
    "Request in progress",
    "A request with this Idempotency-Key is still in progress. Try again shortly.",
  ],
  URL_REFUSED: [422, "URL not allowed", "This URL cannot be registered."],
  DELIVERY_BUSY: [409, "Delivery in progress", "This delivery is being sent right now."],
  DELIVERY_CANCELED: [409, "Delivery canceled", "This delivery was canceled. To send its event, create a replay."],
  DELIVERY_WAITING: [409, "Delivery waiting", "An earlier event of this video has to be delivered first."],
  DELIVERY_GONE: [410, "Event no longer available", "This delivery's event has expired or was erased."],
  UPLOAD_CONFLICT: [409, "Upload in progress", "Another upload to this video is in progress."],
  UPLOAD_EMPTY: [422, "Empty file", "The file is empty."],
  FORMAT_UNSUPPORTED: [501, "Unsupported format", "This route does not support this format."],
  LIMIT_REACHED: [409, "Space limit reached", "This space has reached its limit."],
  STORE_UNAVAILABLE: [
    503,
    "Database unavailable",
    "The database is not responding. Nothing was changed. Try again shortly.",
  ],
  OVERLOADED: [503, "Server overloaded", "The server is overloaded. Nothing was changed. Try again shortly."],
  TASK_LATE: [503, "Task late", "A recurring task of this node has not ended in time."],
  STORAGE_FULL: [507, "Disk full", "The disk is full. Nothing was changed."],
  SHUTTING_DOWN: [503, "Shutting down", "The server is shutting down. Try again shortly."],
  INTERNAL: [
    500,
    "Internal error",
    "An unexpected error occurred. The server's log contains the cause, under the id in `request`.",
  ],
} as const satisfies Record<string, readonly [status: number, title: string, detail: string]>;

export type ErrorCode = keyof typeof ERRORS;

/** One invalid field of a request. `path` is a JSON pointer, `""` for the body itself. */
export interface FieldError {
  path: string;
  detail: string;
}

/** An expected failure that is reported to the caller. A bug is never a MaveError. */
export class MaveError extends Error {
  override readonly name = "MaveError";
  readonly code: ErrorCode;
  readonly status: number;
  readonly title: string;
  readonly errors: readonly FieldError[];
  readonly retryAfter_s: number | undefined;

  /** @param detail what happened, to what, why, and what to do about it; defaults to the code's standard detail */
  constructor(
    code: ErrorCode,
    detail?: string,
    more: { errors?: FieldError[]; retryAfter_s?: number; cause?: unknown } = {},
  ) {
    const [status, title, standard] = ERRORS[code];
    super(detail ?? standard, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.status = status;
    this.title = title;
    this.errors = more.errors ?? [];
    this.retryAfter_s = more.retryAfter_s;
  }
}
