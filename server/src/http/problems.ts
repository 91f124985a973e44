import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { type ErrorCode, type FieldError, MaveError } from "../kernel/errors.ts";
import { storeFailure } from "../store/failures.ts";
import { fieldErrors, type Violation } from "./field-errors.ts";

/** An RFC 9457 problem, the response to every failed request. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: ErrorCode;
  detail: string;
  request: string;
  errors?: readonly FieldError[];
}

/**
 * Sends an error as a problem, which no cache may keep. The cause of an unexpected error is logged but not sent.
 */
export function sendProblem(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = toMaveError(thrown);
  if (error.status >= 500)
    request.log.error({ err: error.cause ?? error, code: error.code, request: request.id }, "Request failed");
  reply.header("cache-control", "no-store");
  if (error.status === 401) reply.header("www-authenticate", 'Bearer realm="mave"');
  if (error.retryAfter_s !== undefined) reply.header("retry-after", String(error.retryAfter_s));
  return reply
    .code(error.status)
    .type("application/problem+json")
    .send(JSON.stringify(problem(error, request.id)));
}

export function problem(error: MaveError, request: string): Problem {
  const { title, status, code, message: detail, errors } = error;
  const type = `/docs/errors#${code}`;
  return { type, title, status, code, detail, request, ...(errors.length > 0 && { errors }) };
}

const UNAVAILABLE_RETRY_S = 2; // the embedded PostgreSQL restarts within a second

function toMaveError(thrown: unknown): MaveError {
  if (thrown instanceof MaveError) return thrown;
  const failure = storeFailure(thrown);
  if (failure === "STORE_UNAVAILABLE")
    return new MaveError(failure, undefined, { cause: thrown, retryAfter_s: UNAVAILABLE_RETRY_S });
  if (failure) return new MaveError(failure, undefined, { cause: thrown });
  const error = thrown as FastifyError;
  if (error.validation) return invalid(error.validation as unknown as Violation[]);
  return FROM_FASTIFY[error.code]?.() ?? fromStatus(error);
}

function invalid(violations: Violation[]): MaveError {
  const errors = fieldErrors(violations);
  const detail = errors.map(({ path, detail }) => `${path || "The body"} ${detail}`).join("; ");
  return new MaveError("REQUEST_INVALID", `${detail}.`, { errors });
}

const FROM_FASTIFY: Record<string, () => MaveError> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () =>
    new MaveError("REQUEST_UNSUPPORTED", "Send the body as JSON, with Content-Type: application/json."),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () =>
    new MaveError("REQUEST_MALFORMED", "The body's length does not match Content-Length."),
  FST_ERR_CTP_BODY_TOO_LARGE: () => new MaveError("REQUEST_TOO_LARGE"),
  FST_ERR_BAD_URL: () => new MaveError("REQUEST_MALFORMED", "The path is not valid percent-encoded UTF-8."),
  FST_ERR_MAX_PARAM_LENGTH: () => new MaveError("NOT_FOUND"),
  FST_UNDER_PRESSURE: () => new MaveError("OVERLOADED", undefined, { retryAfter_s: UNAVAILABLE_RETRY_S }),
};

function fromStatus(error: FastifyError): MaveError {
  const { statusCode = 500 } = error;
  if (statusCode >= 400 && statusCode < 500)
    return new MaveError(statusCode === 404 ? "NOT_FOUND" : "REQUEST_MALFORMED", undefined, { cause: error });
  return new MaveError("INTERNAL", undefined, { cause: error });
}
