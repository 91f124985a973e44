import { createHash } from "node:crypto";
import { type Clock, unixSeconds } from "../kernel/clock.ts";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import { type Page, type PageQuery, pageOf } from "../kernel/page.ts";
import type { Random } from "../kernel/random.ts";
import { longUuid, shortUuid } from "../kernel/short-uuid.ts";
import { uuidV7 } from "../kernel/uuid.ts";
import * as store from "../store/api-keys.ts";
import type { Database, Sql, Transactional } from "../store/db.ts";
import type { KeyPrincipal } from "./principal.ts";

export interface ApiKey {
  id: string;
  object: "api_key";
  created: number;
  name: string;
  scope: "read" | "write";
  hint: string;
  last_used: number | null;
  created_by: string | null;
}

export interface ApiKeys {
  /** @throws LIMIT_REACHED */
  create(
    tx: Sql,
    space: string,
    key: { name: string; scope: "read" | "write"; by: string },
  ): Promise<ApiKey & { key: string }>;
  list(space: string, query: PageQuery): Promise<Page<ApiKey>>;
  /** @throws NOT_FOUND */
  remove(db: Transactional, space: string, id: string): Promise<ApiKey>;
  /** Deletes the keys that a user created. @param by the user's email */
  removeCreatedBy(db: Transactional, space: string, by: string): Promise<ApiKey[]>;
  /** Returns the principal for this key, or null if the key does not exist. */
  identify(key: string): Promise<KeyPrincipal | null>;
  /**
   * Saves the keys' last-used times. This also happens automatically within API_KEY_USED_FLUSH_MS of a key being used.
   */
  flush(): Promise<void>;
}

export const API_KEY_PREFIX = "mave_";
const SECRET_BYTES = 32; // too many to guess, so a fast hash is enough
const SHAPE = /^mave_[A-Za-z0-9_-]{43}$/;

interface Parts {
  db: Database;
  clock: Clock;
  random: Random;
  /** Called if saving last-used times fails. Those times are lost, but the next use of each key records a new one. */
  onError?: (error: Error) => void;
}

/**
 * API keys are looked up by their SHA-256 hash, which is indexed. A key has 256 random bits, so no slow hash is needed.
 * Keys are cached for API_KEY_CACHED_MS, so a busy client does not cause a query per request. A node that deletes a key
 * evicts it from its own cache immediately.
 */
export function createApiKeys(parts: Parts): ApiKeys {
  const known = new Map<string, { who: KeyPrincipal; until: number }>();
  const used = new Map<string, { space: string; id: string }>();
  let flushing = false;

  const flush = async () => {
    flushing = false;
    const rows = [...used.values()];
    used.clear();
    if (rows.length > 0) await store.markApiKeysUsed(parts.db, rows);
  };
  const forget = ({ id }: store.ApiKeyRow) => {
    for (const [key, { who }] of known) if (who.id === id) known.delete(key);
  };
  const markUsed = ({ space, id }: KeyPrincipal) => {
    used.set(id, { space, id });
    if (flushing) return;
    flushing = true;
    parts.clock.after(LIMITS.API_KEY_USED_FLUSH_MS, () => void flush().catch(parts.onError ?? (() => {})));
  };

  return {
    create: (tx, space, key) => create(parts, tx, space, key),
    list: (space, query) => list(parts.db, space, query),
    remove: (db, space, id) =>
      db.transaction(async (tx) => {
        const uuid = longUuid(id);
        const row = uuid && (await store.deleteApiKey(tx, space, uuid));
        if (!row) throw new MaveError("NOT_FOUND");
        tx.afterCommit(() => forget(row));
        return present(row);
      }),
    removeCreatedBy: (db, space, by) =>
      db.transaction(async (tx) => {
        const rows = await store.deleteApiKeysCreatedBy(tx, space, by);
        tx.afterCommit(() => rows.forEach(forget));
        return rows.map(present);
      }),
    async identify(key) {
      const now = parts.clock.monotonic();
      const cached = known.get(key);
      if (cached && cached.until > now) {
        markUsed(cached.who);
        return cached.who;
      }
      known.delete(key);
      if (!SHAPE.test(key)) return null;
      const row = await store.findApiKey(parts.db, sha256(key));
      if (!row) return null;
      const who: KeyPrincipal = { kind: "key", space: row.space_id, id: row.id, name: row.name, scope: row.scope };
      if (known.size >= LIMITS.API_KEYS_CACHED_MAX) known.clear();
      known.set(key, { who, until: now + LIMITS.API_KEY_CACHED_MS });
      markUsed(who);
      return who;
    },
    flush,
  };
}

async function create(
  { clock, random }: Parts,
  tx: Sql,
  space: string,
  { name, scope, by }: { name: string; scope: "read" | "write"; by: string },
): Promise<ApiKey & { key: string }> {
  const key = API_KEY_PREFIX + random.bytes(SECRET_BYTES).toString("base64url");
  const id = uuidV7(clock.now(), random);
  const row = await store.insertApiKey(
    tx,
    { space, id, name, scope, hash: sha256(key), hint: key.slice(-4), by },
    LIMITS.API_KEYS_PER_SPACE_MAX,
  );
  if (!row)
    throw new MaveError(
      "LIMIT_REACHED",
      `This space has reached its limit of ${LIMITS.API_KEYS_PER_SPACE_MAX} API keys.`,
    );
  return { ...present(row), key };
}

async function list(db: Database, space: string, query: PageQuery): Promise<Page<ApiKey>> {
  return pageOf(query, longUuid, present, {
    after: (after, limit) => store.listApiKeysAfter(db, space, after, limit),
    before: (before, limit) => store.listApiKeysBefore(db, space, before, limit),
  });
}

function present(row: store.ApiKeyRow): ApiKey {
  return {
    id: shortUuid(row.id),
    object: "api_key",
    created: unixSeconds(row.created_at.getTime()),
    name: row.name,
    scope: row.scope,
    hint: row.hint,
    last_used: row.last_used_at && unixSeconds(row.last_used_at.getTime()),
    created_by: row.created_by,
  };
}

export const sha256 = (text: string | Buffer): Buffer => createHash("sha256").update(text).digest();
