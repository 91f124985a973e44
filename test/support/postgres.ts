import type { TestProject } from "vitest/node";
import { openDatabase } from "../../server/src/store/db.ts";
import { migrate } from "../../server/src/store/migrate.ts";
import { startOwnPostgres } from "./own-postgres.ts";

declare module "vitest" {
  interface ProvidedContext {
    postgres: { host: string; user: string; port: number };
  }
}

/**
 * Starts one PostgreSQL server for the whole test run. Each test file copies the server's migrated database, `mave`.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await startOwnPostgres({ max_connections: "300" });
  const template = openDatabase({ connection: postgres.connection, connections: 1, statement_ms: 60_000 });
  await migrate(template);
  await template.close();
  const { host, user, port } = postgres.connection;
  project.provide("postgres", { host, user, port });
  return postgres.end;
}
