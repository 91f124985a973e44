import type { FastifyReply, FastifyRequest } from "fastify";
import type { ApiKeys } from "../auth/api-keys.ts";
import type { People } from "../auth/people.ts";
import type { Principal } from "../auth/principal.ts";
import { MaveError } from "../kernel/errors.ts";
import type { Access } from "./api.ts";
import { defaultAccess } from "./route-list.ts";

export interface AccessParts {
  apiKeys: Pick<ApiKeys, "identify">;
  people: Pick<People, "identify">;
  publicUrl: string;
  /** Counts an invalid key against the caller's address. @throws RATE_LIMITED */
  countInvalidKey(request: FastifyRequest): Promise<void>;
}

/**
 * Creates the hook that authenticates and authorizes every request to a route. The exceptions are tus uploads, which
 * bypass the routes, and /metrics, which has its own token. Both check requests themselves.
 */
export function createAccessHook(parts: AccessParts) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const access = request.routeOptions.config.access ?? defaultAccess(request.method);
    if (access === "anyone" || request.is404) return;
    request.who = await identify(parts, request, reply, access);
    reply.header("cache-control", "no-store"); // a response may be for this caller only
    authorize(request.who, access);
  };
}

/** @throws KEY_MISSING, KEY_INVALID, ORIGIN_REFUSED */
export async function identify(
  parts: AccessParts,
  request: FastifyRequest,
  reply?: FastifyReply,
  access: Access = defaultAccess(request.method),
): Promise<Principal> {
  const { authorization } = request.headers;
  if (authorization !== undefined) return identifyKey(parts, request, authorization);
  if (request.headers.cookie === undefined) throw new MaveError("KEY_MISSING");
  // A session that has ended may still be cached in its cookie, which is good enough for reading only.
  const isReading = request.method === "GET" && access === "read";
  const person = await parts.people.identify(request.headers, { cached: isReading });
  if (!person) throw new MaveError("KEY_MISSING");
  if (defaultAccess(request.method) === "write") checkOrigin(request, parts.publicUrl);
  for (const cookie of person.cookies) reply?.header("set-cookie", cookie);
  return person.who;
}

async function identifyKey(parts: AccessParts, request: FastifyRequest, authorization: string): Promise<Principal> {
  const key = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  const who = key === undefined ? null : await parts.apiKeys.identify(key);
  if (who) return who;
  await parts.countInvalidKey(request);
  if (key === undefined)
    throw new MaveError("KEY_INVALID", "The Authorization header is malformed. Send `Authorization: Bearer mave_…`.");
  throw new MaveError("KEY_INVALID");
}

function authorize(who: Principal, access: Access): void {
  if (who.kind === "key" && access === "write" && who.scope === "read") throw new MaveError("SCOPE_INSUFFICIENT");
  if (who.kind === "key" && (access === "person" || access === "owner"))
    throw new MaveError("PERSON_NEEDED", "This action is not available with an API key. Sign in to the dashboard.");
  if (who.kind === "person" && access === "owner" && who.role !== "owner")
    throw new MaveError("PERSON_NEEDED", "Only the owner of the space can perform this action.");
}

/**
 * Protects against CSRF. Browsers can send the session cookie even with requests from other sites. They also set Origin
 * and Sec-Fetch-Site, which a page cannot change, so these headers show whether a request came from the dashboard.
 * @throws ORIGIN_REFUSED
 */
export function checkOrigin(request: FastifyRequest, publicUrl: string): void {
  const { origin, host, "sec-fetch-site": site } = request.headers;
  if (
    origin === undefined ? site === "same-origin" : origin === publicUrl || origin.replace(/^https?:\/\//, "") === host
  )
    return;
  throw new MaveError("ORIGIN_REFUSED");
}
