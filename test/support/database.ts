import { randomBytes } from "node:crypto";
import pg from "pg";
import { afterAll, inject } from "vitest";
import { type Database, openDatabase } from "../../server/src/store/db.ts";

export interface TestConnection {
  host: string;
  user: string;
  port: number;
  database: string;
}

/**
 * Creates a migrated database that is dropped when the test file ends. Call this at the top level or in `beforeAll`.
 */
export async function testDatabase(connections = 10): Promise<Database> {
  const connection = await testConnection();
  const db = openDatabase({ connection, connections, statement_ms: 60_000 });
  afterAll(() => db.close());
  return db;
}

/** Creates a database without tables, for migration tests. */
export async function emptyDatabase(): Promise<Database> {
  const db = openDatabase({ connection: await testConnection("template1"), connections: 5, statement_ms: 60_000 });
  afterAll(() => db.close());
  return db;
}

/** Like `testDatabase`, but for tests that open the database themselves. */
export async function testConnection(template = "mave"): Promise<TestConnection> {
  const database = `test_${randomBytes(6).toString("hex")}`;
  await administer(`create database ${database} template ${template}`);
  afterAll(() => administer(`drop database ${database} with (force)`));
  return { ...inject("postgres"), database };
}

/** Like `testConnection`, but returns a DATABASE_URL for tests that start processes. */
export async function testDatabaseUrl(): Promise<string> {
  return databaseUrl(await testConnection());
}

export function databaseUrl({ host, user, port, database }: TestConnection): string {
  return `postgres://${user}@/${database}?host=${encodeURIComponent(host)}&port=${port}`;
}

async function administer(statement: string): Promise<void> {
  const client = new pg.Client({ ...inject("postgres"), database: "postgres" });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
