import type { Sql, Statement } from "./db.ts";

/** An Idempotency-Key, which is valid only for the API key or user that sent it. */
export interface IdempotencyKey {
  space: string;
  /** The id of the API key or user. */
  principal: string;
  key: string;
}

export interface StoredResponse {
  /** SHA-256 of the request's method, path and body. */
  request_hash: Buffer;
  status: number;
  /** Encrypted, because a response may contain a secret that is shown only once. */
  body: Buffer;
}

const FIND: Statement = {
  name: "idempotency_find",
  text: `select request_hash, status, body from idempotency_keys
    where space_id = $1 and principal_id = $2 and key = $3 and created_at > now() - $4 * interval '1 second'`,
};
export async function findResponse(
  sql: Sql,
  { space, principal, key }: IdempotencyKey,
  kept_s: number,
): Promise<StoredResponse | undefined> {
  return (await sql.run<StoredResponse>(FIND, [space, principal, key, kept_s]))[0];
}

/**
 * Stores a response, and replaces an expired one under the same key. Waits for any transaction that is storing a
 * response under that key.
 * @returns false if another request's response is already stored under this key
 */
const REMEMBER: Statement = {
  name: "idempotency_remember",
  text: `insert into idempotency_keys as kept (space_id, principal_id, key, request_hash, status, body)
      values ($1, $2, $3, $4, $5, $6)
    on conflict (space_id, principal_id, key) do update
      set request_hash = excluded.request_hash, status = excluded.status, body = excluded.body, created_at = now()
      where kept.created_at <= now() - $7 * interval '1 second'
    returning true as kept`,
};
export async function storeResponse(
  tx: Sql,
  { space, principal, key }: IdempotencyKey,
  response: StoredResponse,
  kept_s: number,
): Promise<boolean> {
  const values = [space, principal, key, response.request_hash, response.status, response.body, kept_s];
  return (await tx.run(REMEMBER, values)).length > 0;
}
