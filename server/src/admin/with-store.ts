import type { Config } from "../config/config.ts";
import { createLog } from "../kernel/log.ts";
import { type Database, openDatabase } from "../store/db.ts";
import { findEmbeddedPostgres } from "../store/embedded-postgres.ts";
import { migrate } from "../store/migrate.ts";
import { openStore } from "../store/open-store.ts";

/**
 * Runs `work` against the server's database. An embedded database that is not running is started for the duration of
 * `work`.
 */
export async function withStore<Result>(config: Config, work: (db: Database) => Promise<Result>): Promise<Result> {
  const running = config.databaseUrl === null ? await findEmbeddedPostgres(config.dataDir) : null;
  if (running !== null) {
    const db = openDatabase({ connection: running, connections: 1 });
    try {
      await migrate(db);
      return await work(db);
    } finally {
      await db.close();
    }
  }
  const store = await openStore({ ...config, log: createLog("fatal", false), onLost: throwError });
  try {
    return await work(store.db);
  } finally {
    await store.close();
  }
}

function throwError(error: Error): never {
  throw error;
}
