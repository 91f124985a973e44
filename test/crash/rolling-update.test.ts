import { randomBytes } from "node:crypto";
import { cp, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Database, openDatabase } from "../../server/src/store/db.ts";
import { databaseUrl, testConnection } from "../support/database.ts";
import { ROOT, scrape, startServer, type TestServer } from "../support/server.ts";
import { call } from "./caller.ts";
import { QUICK_RETRIES, type Scene, setScene } from "./scene.ts";

test("during a rolling update, both versions deliver, an older node can restart, and nothing is lost, duplicated or out of order", {
  timeout: 400_000,
}, async () => {
  const { scene, db, env } = await olderNode();
  const older = scene.server;
  const load = scene.load({ callers: 3, pause_ms: 150 });
  await delivers(older);
  await readsEveryTable(scene);

  const newer = await startServer({ ...QUICK_RETRIES, ...env }, await newerTree(db));
  onTestFinished(() => newer.remove());
  expect(await db.run(columns)).toEqual([{ tables: (await tables(db)).length }]);
  await readsEveryTable(scene); // reads through the older node
  scene.balanced.push(newer);
  await Promise.all([delivers(older), delivers(newer)]);

  await leaves(scene, older);
  await older.start(); // the schema is now newer than this node's code
  scene.balanced.push(older);
  await Promise.all([delivers(older), delivers(newer)]);
  await leaves(scene, older);
  await delivers(newer);

  await load.stop();
  await scene.drained();
  const ledger = await scene.compare(load);
  console.log(
    `Rolling update: ${ledger.events} events, ${ledger.received.length} requests, ${ledger.duplicates.length} twice`,
  );
  expect(ledger.findings).toEqual([]);
  expect(ledger.unrecorded).toEqual([]);
  expect(ledger.duplicates).toEqual([]);
  for (const node of [older, newer]) expect(node.output()).not.toMatch(/"level":[56]0|cached plan/);
});

/** Starts a node of this version on a database that the test can query. */
async function olderNode(): Promise<{ scene: Scene; db: Database; env: Record<string, string> }> {
  const connection = await testConnection();
  const db = openDatabase({ connection, connections: 1 });
  onTestFinished(() => db.close());
  const env = {
    DATABASE_URL: databaseUrl(connection),
    MAVE_ROLES: "api,deliver",
    MAVE_SECRETS_KEY: randomBytes(32).toString("base64"),
  };
  return { scene: await setScene(env), db, env };
}

/** Waits until the node has made more attempts. */
async function delivers(node: TestServer): Promise<void> {
  const before = await attempts(node);
  await expect.poll(() => attempts(node)).toBeGreaterThan(before + 10);
}

async function attempts(node: TestServer): Promise<number> {
  const text = await scrape(node);
  return text
    .split("\n")
    .filter((line) => line.startsWith("mave_attempts_total{"))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

/** Reads every table on all connections, so that later calls use statements prepared before the tables changed. */
async function readsEveryTable({ caller }: Scene): Promise<void> {
  for (const path of ["videos", "webhooks", "events", "deliveries", "replays", "api-keys"]) {
    const reading = Array.from({ length: 20 }, () => call(caller, "GET", `/v1/${path}`));
    for (const { status } of await Promise.all(reading)) expect(status).toBe(200);
  }
}

/** Directs callers to the other nodes, then stops the node, as in an update. */
async function leaves({ balanced }: Scene, node: TestServer): Promise<void> {
  balanced.splice(balanced.indexOf(node), 1);
  expect(await node.stop()).toBe(0);
}

/**
 * Creates the source tree of the next version: the same code, plus a migration for each table that adds a column to it.
 */
async function newerTree(db: Database): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "mave-newer-"));
  onTestFinished(() => rm(root, { recursive: true }));
  await cp(join(ROOT, "server"), join(root, "server"), { recursive: true });
  for (const name of ["node_modules", "packages", "dashboard", "package.json"])
    await symlink(join(ROOT, name), join(root, name));
  const folder = join(root, "server/migrations");
  const known = (await readdir(folder)).length;
  for (const [index, table] of (await tables(db)).entries()) {
    const text = `-- Later.\n-- Runs with: ${numbered(known)}\nalter table ${table} add column later text;`;
    await writeFile(join(folder, `${numbered(known + 1 + index)}_later_${table}.sql`), text);
  }
  return root;
}

const numbered = (number: number): string => String(number).padStart(4, "0");

const TABLES = `from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
  and relname <> 'migrations'`;
const columns = {
  name: "test_later",
  text: `select count(*)::int as tables ${TABLES} and exists (
    select from pg_attribute where attrelid = pg_class.oid and attname = 'later')`,
};

async function tables(db: Database): Promise<string[]> {
  const rows = await db.run<{ relname: string }>({ name: "test_tables", text: `select relname ${TABLES} order by 1` });
  return rows.map(({ relname }) => relname);
}
