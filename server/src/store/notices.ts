import type { Sql, Statement } from "./db.ts";

const notify: Statement = { name: "notify", text: "select pg_notify($1, $2)" };
/** PostgreSQL takes payloads below 8,000 bytes; an id and its comma have 37. */
const IDS_MAX = 200;

/** Tells the other processes. @param ids what it is about; too many are sent as none, which means: look yourself */
export async function sendNotice(sql: Sql, channel: string, ids: readonly string[]): Promise<void> {
  await sql.run(notify, [channel, ids.length > IDS_MAX ? "" : ids.join(",")]);
}
