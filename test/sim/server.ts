import { afterAll } from "vitest";
import { openDatabase } from "../../server/src/store/db.ts";
import { migrate } from "../../server/src/store/migrate.ts";
import { startOwnPostgres } from "../support/own-postgres.ts";
import { SIMULATED_DATABASE } from "./clock.ts";
import { Connections } from "./connections.ts";

/**
 * A server of its own, and nothing in it that works at moments of its own. Where a row is put depends on which old ones
 * can go, that on every transaction of the server; and rows of one moment are taken in the order of their places.
 */
const STILL = { autovacuum: "off", bgwriter_lru_maxpages: "0", checkpoint_timeout: "1h", max_wal_size: "4GB" };

/** Connections to a migrated database with the simulated clock, ended after this test file. Call it at the file's top level. */
export async function simulatedServer(): Promise<Connections> {
  const postgres = await startOwnPostgres(STILL);
  const connections = new Connections(postgres.connection);
  afterAll(async () => {
    await connections.close();
    await postgres.end();
  });
  const db = openDatabase({ connection: postgres.connection, connections: 1 });
  await migrate(db);
  await db.close();
  await connections.open();
  await connections.ask(SIMULATED_DATABASE);
  return connections;
}
