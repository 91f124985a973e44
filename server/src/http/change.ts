import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { actorName } from "../auth/principal.ts";
import type { Clock } from "../kernel/clock.ts";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Random } from "../kernel/random.ts";
import { uuidV7 } from "../kernel/uuid.ts";
import { insertAuditEntry } from "../store/audit-log.ts";
import type { Alongside, Database, Sql } from "../store/db.ts";
import { findResponse, storeResponse } from "../store/idempotency-keys.ts";

export interface ChangeParts {
  db: Database;
  clock: Clock;
  random: Random;
  /** Keeps answers unreadable in the database: they may hold a secret that is shown once. */
  vault: { seal(text: string, owner: string): Buffer; open(sealed: Buffer, owner: string): string };
}

/** What the audit log says of a change. */
export interface Audit<Result> {
  action: string;
  subject?(result: Result): string | null;
  details?(result: Result): Record<string, unknown>;
}

export interface ChangeOptions<Result, Shown> {
  /** Of the response. */
  status?: 200 | 201 | 202;
  audit?: Audit<NoInfer<Result>>;
  /** What is answered, where that is not the result itself. */
  present?(result: NoInfer<Result>): Shown;
}

/** Carries out a change and gives what is to be answered. */
export type Change = <Result, Shown = Result>(
  request: FastifyRequest,
  reply: FastifyReply,
  work: (alongside: Alongside<unknown> | undefined) => Promise<Result>,
  options?: ChangeOptions<Result, Shown>,
) => Promise<Shown>;

/**
 * A change's audit entry and its remembered response are written in its own transaction: there is no moment in which a
 * crash leaves a change whose repetition would be done a second time. Of two requests with one Idempotency-Key at once
 * the second waits in `remember`, rolls its own change back, and gives the first one's response.
 */
export function createChange(parts: ChangeParts): Change {
  return async <Result, Shown>(
    request: FastifyRequest,
    reply: FastifyReply,
    work: (alongside: Alongside<unknown> | undefined) => Promise<Result>,
    { status = 200, audit, present = itself }: ChangeOptions<Result, Shown> = {},
  ) => {
    reply.code(status);
    const key = idempotencyKey(request);
    const note = (tx: Sql, result: unknown) => writeAudit(parts, tx, request, audit, result as Result);
    if (key === null) return present(await work(audit && note));

    const once: Once = { parts, request, reply, key, hash: requestHash(request) };
    let response = await remembered(once);
    if (response === null) {
      try {
        await work(async (tx, result) => {
          await note(tx, result);
          response = String(reply.serialize(present(result as Result)));
          await remember(once, tx, status, response);
        });
      } catch (error) {
        if (!(error instanceof Repeated)) throw error;
        response = await remembered(once);
        if (response === null) throw new MaveError("IDEMPOTENCY_BUSY"); // a moment ago it was there; now a day has passed
      }
    }
    reply.type(JSON_TYPE);
    return response as Shown; // the bytes themselves, sent as they are
  };
}

const JSON_TYPE = "application/json; charset=utf-8";
const itself = <Result, Shown>(result: Result) => result as unknown as Shown;

/** A request that is to be done once. */
interface Once {
  parts: ChangeParts;
  request: FastifyRequest;
  reply: FastifyReply;
  key: string;
  hash: Buffer;
}

/** Another request with the same key was first: this one's change is rolled back. */
class Repeated extends Error {}

function idempotencyKey({ headers, routeOptions }: FastifyRequest): string | null {
  const key = headers["idempotency-key"];
  if (key === undefined || !routeOptions.config.once) return null;
  if (typeof key === "string" && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new MaveError("REQUEST_MALFORMED", "An Idempotency-Key has 1 to 255 visible ASCII characters.");
}

function requestHash({ method, url, rawBody }: FastifyRequest): Buffer {
  return createHash("sha256")
    .update(`${method} ${url}\n`)
    .update(rawBody ?? "")
    .digest();
}

/** The response that an earlier request with this key was given, or null. @throws IDEMPOTENCY_MISMATCH */
async function remembered({ parts, request, reply, key, hash }: Once): Promise<string | null> {
  const { space } = request.who;
  const kept = await findResponse(parts.db, space, key, LIMITS.IDEMPOTENCY_KEPT_S);
  if (!kept) return null;
  if (!kept.request_hash.equals(hash)) throw new MaveError("IDEMPOTENCY_MISMATCH");
  reply.code(kept.status).header("idempotent-replayed", "true");
  return parts.vault.open(kept.body, owner(space, key));
}

async function remember({ parts, request, key, hash }: Once, tx: Sql, status: number, response: string): Promise<void> {
  const { space } = request.who;
  const body = parts.vault.seal(response, owner(space, key));
  const kept = { request_hash: hash, status, body };
  if (!(await storeResponse(tx, space, key, kept, LIMITS.IDEMPOTENCY_KEPT_S))) throw new Repeated();
}

const owner = (space: string, key: string): string => `${space} ${key}`;

async function writeAudit<Result>(
  { clock, random }: ChangeParts,
  tx: Sql,
  request: FastifyRequest,
  audit: Audit<Result> | undefined,
  result: Result,
): Promise<void> {
  if (!audit) return;
  await insertAuditEntry(tx, {
    space: request.who.space,
    id: uuidV7(clock.now(), random),
    action: audit.action,
    actor: actorName(request.who),
    address: request.ip,
    subject: audit.subject?.(result) ?? null,
    details: audit.details?.(result),
  });
}
