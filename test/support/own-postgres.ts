import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "../../server/src/kernel/log.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../server/src/store/embedded-postgres.ts";
import { removeDataFolder } from "./server.ts";

/** The data does not outlive the run, so it need not reach the disk. Durability tests start their own servers. */
const NOT_DURABLE = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };

/** Starts a PostgreSQL server with an empty database `mave`. `end` stops it and removes its folder. */
export async function startOwnPostgres(settings: Record<string, string>): Promise<EmbeddedPostgres> {
  const folder = await mkdtemp(join(tmpdir(), "mave-test-"));
  const { connection, end } = await startEmbeddedPostgres({
    folder,
    log: createLog("silent"),
    settings: { ...NOT_DURABLE, ...settings },
    onLost(error) {
      throw error;
    },
  });
  return {
    connection,
    async end() {
      await end();
      await removeDataFolder(folder);
    },
  };
}
