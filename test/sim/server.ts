import { afterAll } from "vitest";
import { openDatabase } from "../../server/src/store/db.ts";
import { migrate } from "../../server/src/store/migrate.ts";
import { startOwnPostgres } from "../support/own-postgres.ts";
import { SIMULATED_DATABASE } from "./clock.ts";
import { Connections } from "./connections.ts";

/**
 * Settings for a dedicated server without background work, so that seeds can be replayed. A claim returns rows with the
 * same due time in storage order. Where a new row is stored depends on which old rows can be removed, and that depends
 * on every transaction on the server.
 */
const WITHOUT_BACKGROUND_WORK = {
  autovacuum: "off",
  bgwriter_lru_maxpages: "0",
  checkpoint_timeout: "1h",
  max_wal_size: "4GB",
};

/**
 * Opens a migrated database with the simulated clock, and closes it when the test file ends. Call this at the top level
 * of the test file.
 */
export async function simulatedServer(): Promise<Connections> {
  const postgres = await startOwnPostgres(WITHOUT_BACKGROUND_WORK);
  const connections = new Connections(postgres.connection);
  afterAll(async () => {
    await connections.close();
    await postgres.end();
  });
  const db = openDatabase({ connection: postgres.connection, connections: 1, statement_ms: 60_000 });
  await migrate(db);
  await db.close();
  await connections.open();
  await connections.ask(SIMULATED_DATABASE);
  return connections;
}
