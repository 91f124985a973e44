import type { Sql, Statement } from "./db.ts";

export interface AuditRow {
  id: string;
  action: string;
  actor: string;
  actor_id: string | null;
  address: string | null;
  subject: string | null;
  details: Record<string, unknown>;
  created_at: Date;
}

const INSERT: Statement = {
  name: "audit_insert",
  text: `insert into audit_log (space_id, id, action, actor, actor_id, address, subject, details)
    values ($1, $2, $3, $4, $5, $6, $7, $8)`,
};
export async function insertAuditEntry(
  tx: Sql,
  entry: Omit<AuditRow, "created_at" | "details"> & { space: string; details?: Record<string, unknown> | undefined },
): Promise<void> {
  const { space, id, action, actor, actor_id, address, subject, details = {} } = entry;
  await tx.run(INSERT, [space, id, action, actor, actor_id, address, subject, details]);
}

/** Lists the newest entries first by walking the primary key, because UUIDv7 ids sort by time. */
const LIST_AFTER: Statement = {
  name: "audit_after",
  text: `select id, action, actor, actor_id, address, subject, details, created_at from audit_log
    where space_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3`,
};
const LIST_BEFORE: Statement = {
  name: "audit_before",
  text: `select id, action, actor, actor_id, address, subject, details, created_at from audit_log
    where space_id = $1 and id > $2 order by id limit $3`,
};
export const listAuditAfter = (sql: Sql, space: string, after: string | null, limit: number) =>
  sql.run<AuditRow>(LIST_AFTER, [space, after, limit]);
/** @returns rows in reverse order, starting with the one nearest to `before` */
export const listAuditBefore = (sql: Sql, space: string, before: string, limit: number) =>
  sql.run<AuditRow>(LIST_BEFORE, [space, before, limit]);
