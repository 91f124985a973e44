import type { Sql, Statement } from "./db.ts";

export interface ApiKeyRow {
  space_id: string;
  id: string;
  name: string;
  scope: "read" | "write";
  hint: string;
  created_at: Date;
  last_used_at: Date | null;
  /** The creator's email, or `key <name>`. */
  created_by: string | null;
}

const API_KEY = "space_id, id, name, scope, hint, created_at, last_used_at, created_by";

const INSERT: Statement = {
  name: "api_key_insert",
  text: `insert into api_keys (space_id, id, name, scope, hash, hint, created_by)
    select $1, $2, $3, $4, $5, $6, $7
    where (select count(*) from api_keys where space_id = $1) < $8
    returning ${API_KEY}`,
};
/** @returns undefined if the space already has `most` keys */
export async function insertApiKey(
  sql: Sql,
  key: { space: string; id: string; name: string; scope: string; hash: Buffer; hint: string; by: string },
  most: number,
): Promise<ApiKeyRow | undefined> {
  const values = [key.space, key.id, key.name, key.scope, key.hash, key.hint, key.by, most];
  return (await sql.run<ApiKeyRow>(INSERT, values))[0];
}

/** Served by api_keys_by_hash. */
const FIND: Statement = {
  name: "api_key_find",
  text: `select ${API_KEY} from api_keys where hash = $1`,
};
export async function findApiKey(sql: Sql, hash: Buffer): Promise<ApiKeyRow | undefined> {
  return (await sql.run<ApiKeyRow>(FIND, [hash]))[0];
}

/** Lists the newest keys first, by id, because UUIDv7 ids sort by time. */
const LIST_AFTER: Statement = {
  name: "api_keys_after",
  text: `select ${API_KEY} from api_keys
    where space_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3`,
};
const LIST_BEFORE: Statement = {
  name: "api_keys_before",
  text: `select ${API_KEY} from api_keys
    where space_id = $1 and id > $2 order by id limit $3`,
};
export const listApiKeysAfter = (sql: Sql, space: string, after: string | null, limit: number) =>
  sql.run<ApiKeyRow>(LIST_AFTER, [space, after, limit]);
/** @returns rows in reverse order, starting with the one nearest to `before` */
export const listApiKeysBefore = (sql: Sql, space: string, before: string, limit: number) =>
  sql.run<ApiKeyRow>(LIST_BEFORE, [space, before, limit]);

const DELETE: Statement = {
  name: "api_key_delete",
  text: `delete from api_keys where space_id = $1 and id = $2 returning ${API_KEY}`,
};
export async function deleteApiKey(sql: Sql, space: string, id: string): Promise<ApiKeyRow | undefined> {
  return (await sql.run<ApiKeyRow>(DELETE, [space, id]))[0];
}

const DELETE_CREATED_BY: Statement = {
  name: "api_keys_delete_created_by",
  text: `delete from api_keys where space_id = $1 and created_by = $2 returning ${API_KEY}`,
};
export async function deleteApiKeysCreatedBy(sql: Sql, space: string, by: string): Promise<ApiKeyRow[]> {
  return sql.run<ApiKeyRow>(DELETE_CREATED_BY, [space, by]);
}

/** Updates the last-used times of several keys in one statement. A key that was deleted in the meantime is skipped. */
const USED: Statement = {
  name: "api_keys_used",
  text: `update api_keys set last_used_at = greatest(last_used_at, now())
    from unnest($1::uuid[], $2::uuid[]) as used (space_id, id)
    where api_keys.space_id = used.space_id and api_keys.id = used.id`,
};
export async function markApiKeysUsed(sql: Sql, used: readonly { space: string; id: string }[]): Promise<void> {
  await sql.run(USED, [used.map(({ space }) => space), used.map(({ id }) => id)]);
}
