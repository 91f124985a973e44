import type { Sql, Statement } from "./db.ts";

const PING: Statement = { name: "ping", text: "select 1" };

/** Rejects if the database does not respond. */
export async function ping(sql: Sql): Promise<void> {
  await sql.run(PING);
}

const TIME: Statement = { name: "database_time", text: "select extract(epoch from now())::float8 * 1000 as now_ms" };

/** Returns the database's time in Unix milliseconds. */
export async function databaseTime(sql: Sql): Promise<number> {
  return (await sql.run<{ now_ms: number }>(TIME))[0]!.now_ms;
}
