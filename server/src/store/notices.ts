import type { Sql, Statement } from "./db.ts";

const notify: Statement = { name: "notify", text: "select pg_notify($1, $2)" };
/** PostgreSQL limits payloads to less than 8,000 bytes; an id with its comma takes 37. */
const IDS_MAX = 200;

/**
 * Notifies the other processes.
 * @param ids the changed objects' ids; if there are too many, none are sent, which means that any object may have
 * changed
 */
export async function sendNotice(sql: Sql, channel: string, ids: readonly string[]): Promise<void> {
  await sql.run(notify, [channel, ids.length > IDS_MAX ? "" : ids.join(",")]);
}
