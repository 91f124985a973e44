import type { Sql, Statement } from "./db.ts";

const notify: Statement = { name: "notify", text: "select pg_notify($1, $2)" };
/** PostgreSQL limits payloads to less than 8,000 bytes; an id and its comma have 37. */
const IDS_MAX = 200;

/** Notifies the other processes. @param ids the changed objects; if there are too many, none is sent, which means any */
export async function sendNotice(sql: Sql, channel: string, ids: readonly string[]): Promise<void> {
  await sql.run(notify, [channel, ids.length > IDS_MAX ? "" : ids.join(",")]);
}
