import type { Sql, Statement } from "./db.ts";

const PING: Statement = { name: "ping", text: "select 1" };

/** Whether the database answers at all. */
export async function ping(sql: Sql): Promise<void> {
  await sql.run(PING);
}
