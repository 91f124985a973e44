import { LIMITS } from "../kernel/limits.ts";
import type { Sql, Statement } from "./db.ts";

const notify: Statement = { name: "notify", text: "select pg_notify($1, $2)" };

/**
 * Notifies the other processes.
 * @param ids the ids of the changed objects; if there are too many, the notice contains none, which means that any
 * object may have changed
 */
export async function sendNotice(sql: Sql, channel: string, ids: readonly string[]): Promise<void> {
  await sql.run(notify, [channel, ids.length > LIMITS.NOTICE_IDS_MAX ? "" : ids.join(",")]);
}
