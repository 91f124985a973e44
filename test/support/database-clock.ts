import { afterAll } from "vitest";
import { type Database, openDatabase } from "../../server/src/store/db.ts";
import { testConnection } from "./database.ts";

// With the `clock` schema first in the search_path, `now()` calls this function instead of the built-in one.
const SETTABLE = [
  "create schema clock",
  "create table clock.ahead (s int not null)",
  "insert into clock.ahead values (0)",
  `create function clock.now() returns timestamptz stable language sql as
    'select pg_catalog.now() + s * interval ''1 second'' from clock.ahead'`,
];

/**
 * Opens a database whose clock the test controls. `setAhead` sets how many seconds that clock is ahead of the
 * machine's.
 */
export async function databaseWithClock(): Promise<{ db: Database; setAhead: (seconds: number) => Promise<void> }> {
  const connection = { ...(await testConnection()), options: "-c search_path=clock,pg_catalog,public" };
  const db = openDatabase({ connection, connections: 3 });
  afterAll(() => db.close());
  for (const text of SETTABLE) await db.run({ name: "", text });
  return {
    db,
    async setAhead(seconds) {
      await db.run({ name: "test_set_ahead", text: "update clock.ahead set s = $1" }, [seconds]);
    },
  };
}
