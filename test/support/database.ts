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

/** A fresh, migrated database of this test file's own, closed and dropped after it. Call it at the file's top level or in `beforeAll`. */
export async function testDatabase(connections = 10): Promise<Database> {
  const connection = await testConnection();
  const db = openDatabase({ connection, connections });
  afterAll(() => db.close());
  return db;
}

/** A database without any table, for tests of the migrations. */
export async function emptyDatabase(): Promise<Database> {
  const db = openDatabase({ connection: await testConnection("template1"), connections: 5 });
  afterAll(() => db.close());
  return db;
}

/** As `testDatabase`, but only the database: for tests that open it themselves. */
export async function testConnection(template = "mave"): Promise<TestConnection> {
  const database = `test_${randomBytes(6).toString("hex")}`;
  await administer(`create database ${database} template ${template}`);
  afterAll(() => administer(`drop database ${database} with (force)`));
  return { ...inject("postgres"), database };
}

/** As `testConnection`, as the value of DATABASE_URL: for tests that start processes. */
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
