import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLog } from "../../server/src/kernel/log.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../server/src/store/embedded-postgres.ts";
import { removeDataFolder } from "./server.ts";

/** Its data outlives no run, so it need not reach the disk. Tests of durability start servers of their own. */
const HASTY = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };

/** A PostgreSQL with an empty database `mave`, in a folder that goes with its end. */
export async function startOwnPostgres(settings: Record<string, string>): Promise<EmbeddedPostgres> {
  const folder = await mkdtemp(join(tmpdir(), "mave-test-"));
  const { connection, end } = await startEmbeddedPostgres({
    folder,
    log: createLog("silent"),
    settings: { ...HASTY, ...settings },
    onLost(why) {
      throw why;
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
