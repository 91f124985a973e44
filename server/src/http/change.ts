import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { actorName } from "../auth/principal.ts";
import type { Clock } from "../kernel/clock.ts";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Random } from "../kernel/random.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import { uuidV7 } from "../kernel/uuid.ts";
import { insertAuditEntry } from "../store/audit-log.ts";
import type { Database, Sql, Transaction } from "../store/db.ts";
import { findResponse, type IdempotencyKey, storeResponse } from "../store/idempotency-keys.ts";

export interface ChangeParts {
  db: Database;
  clock: Clock;
  random: Random;
  /** Encrypts stored responses, because they can contain a secret that is shown only once. */
  vault: { seal(text: string, owner: string): Buffer; open(sealed: Buffer, owner: string): string };
}

/** The audit log entry for a change. */
export interface Audit<Result> {
  action: string;
  subject?(result: Result): string | null;
  details?(result: Result): Record<string, unknown>;
}

export interface ChangeOptions<Result, Shown> {
  /** HTTP status of the response. */
  status?: 200 | 201 | 202;
  audit?: Audit<NoInfer<Result>>;
  /** Converts the result to the response body. By default, the result itself is the response body. */
  present?(result: NoInfer<Result>): Shown;
  /** Makes the same change in a group commit. Used if there is neither an audit entry nor an Idempotency-Key. */
  grouped?(): Promise<Result>;
}

/** Runs a change in one transaction with its audit entry and its stored response. @returns the response body */
export type Change = <Result, Shown = Result>(
  request: FastifyRequest,
  reply: FastifyReply,
  work: (tx: Transaction) => Promise<Result>,
  options?: ChangeOptions<Result, Shown>,
) => Promise<Shown>;

/**
 * The audit entry and the response stored for an Idempotency-Key are committed together with the change, so that a
 * retry after a crash cannot repeat it. If two requests with the same key run concurrently, the second waits in
 * `store`, rolls back its change, and returns the first one's response.
 */
export function createChange(parts: ChangeParts): Change {
  return async (request, reply, work, { status = 200, audit, present = itself, grouped } = {}) => {
    reply.code(status);
    const key = idempotencyKey(request);
    if (key === null && audit === undefined && grouped !== undefined) return present(await grouped());
    const idempotent = key === null ? null : { parts, request, reply, key, hash: requestHash(request) };
    const stored = idempotent && (await findStored(idempotent));
    if (stored !== null) return stored as never;
    try {
      return await parts.db.transaction(async (tx) => {
        const result = await work(tx);
        if (audit !== undefined) await writeAudit(parts, tx, request, audit, result);
        return idempotent === null
          ? present(result)
          : ((await store(idempotent, tx, status, present(result))) as never);
      });
    } catch (error) {
      if (idempotent === null || !(error instanceof KeyTaken)) throw error;
      const first = await findStored(idempotent);
      // The other request's response expired before it could be read.
      if (first === null) throw new MaveError("IDEMPOTENCY_BUSY");
      return first as never;
    }
  };
}

const JSON_TYPE = "application/json; charset=utf-8";
const itself = <Result, Shown>(result: Result) => result as unknown as Shown;

/** A request with an Idempotency-Key. */
interface IdempotentRequest {
  parts: ChangeParts;
  request: FastifyRequest;
  reply: FastifyReply;
  key: string;
  hash: Buffer;
}

/** Thrown to roll the transaction back if another request with the same key committed first. */
class KeyTaken extends Error {}

function idempotencyKey({ headers, routeOptions }: FastifyRequest): string | null {
  const key = headers["idempotency-key"];
  if (key === undefined || !routeOptions.config.idempotent) return null;
  if (typeof key === "string" && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new MaveError("REQUEST_MALFORMED", "The Idempotency-Key must consist of 1 to 255 visible ASCII characters.");
}

function requestHash({ method, url, rawBody }: FastifyRequest): Buffer {
  return createHash("sha256")
    .update(`${method} ${url}\n`)
    .update(rawBody ?? "")
    .digest();
}

/**
 * Returns the text of the response to an earlier request with this key, or null if there was none.
 * @throws IDEMPOTENCY_MISMATCH
 */
async function findStored({ parts, request, reply, key, hash }: IdempotentRequest): Promise<string | null> {
  const owner = ownerOf(request, key);
  const stored = await findResponse(parts.db, owner, LIMITS.IDEMPOTENCY_KEPT_S);
  if (!stored) return null;
  if (!stored.request_hash.equals(hash)) throw new MaveError("IDEMPOTENCY_MISMATCH");
  reply.code(stored.status).header("idempotent-replayed", "true").type(JSON_TYPE);
  return parts.vault.open(stored.body, sealName(owner));
}

/** Stores the response. @returns its text, so that repeated requests get exactly the same bytes as the first */
async function store({ parts, request, reply, key, hash }: IdempotentRequest, tx: Sql, status: number, shown: unknown) {
  const owner = ownerOf(request, key);
  const response = String(reply.serialize(shown));
  const body = parts.vault.seal(response, sealName(owner));
  const stored = { request_hash: hash, status, body };
  if (!(await storeResponse(tx, owner, stored, LIMITS.IDEMPOTENCY_KEPT_S))) throw new KeyTaken();
  reply.type(JSON_TYPE);
  return response;
}

/** Another API key or user may send the same Idempotency-Key, and must not get this response, which may hold a secret. */
const ownerOf = ({ who }: FastifyRequest, key: string): IdempotencyKey => ({
  space: who.space,
  principal: who.id,
  key,
});
const sealName = ({ space, principal, key }: IdempotencyKey): string => `${space} ${principal} ${key}`;

async function writeAudit<Result>(
  { clock, random }: ChangeParts,
  tx: Sql,
  request: FastifyRequest,
  audit: Audit<Result>,
  result: Result,
): Promise<void> {
  await insertAuditEntry(tx, {
    space: request.who.space,
    id: uuidV7(clock.now(), random),
    action: audit.action,
    actor: actorName(request.who),
    actor_id: request.who.kind === "key" ? shortUuid(request.who.id) : request.who.id,
    address: request.ip,
    subject: audit.subject?.(result) ?? null,
    details: audit.details?.(result),
  });
}
