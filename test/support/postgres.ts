import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { createLog } from "../../server/src/log.ts";
import { openDatabase } from "../../server/src/store/db.ts";
import { startEmbeddedPostgres } from "../../server/src/store/embedded-postgres.ts";
import { migrate } from "../../server/src/store/migrate.ts";

declare module "vitest" {
  interface ProvidedContext {
    postgres: { host: string; user: string; port: number };
  }
}

/** One PostgreSQL for the whole run, its database `mave` migrated once: the template that each test file copies. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "mave-test-"));
  const postgres = await startEmbeddedPostgres({
    folder,
    log: createLog("silent"),
    // Its data outlives no run, so it need not reach the disk. Tests of durability start servers of their own.
    settings: { fsync: "off", synchronous_commit: "off", full_page_writes: "off", max_connections: "300" },
    onLost(why) {
      throw why;
    },
  });
  const template = openDatabase({ connection: postgres.connection, connections: 1 });
  await migrate(template);
  await template.close();
  const { host, user, port } = postgres.connection;
  project.provide("postgres", { host, user, port });
  return async () => {
    await postgres.end();
    const home = await realpath(join(folder, "postgres"));
    await rm(home, { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  };
}
