import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type pg from "pg";
import { pause, systemClock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import { StartFailure } from "../kernel/start-failure.ts";
import type { Database, Statement } from "./db.ts";
import { openSession } from "./session.ts";

const FOLDER = fileURLToPath(new URL("../../migrations/", import.meta.url));
const LOCK_POLL_MS = 100;

interface Migration {
  number: number;
  name: string;
  text: string;
  checksum: string;
  /** The newest file that a node has to know to run with this one; null: this one. */
  runs_with: number | null;
}

type Applied = Omit<Migration, "text">;

export interface MigrateOptions {
  folder?: string;
  /** Told each time that somebody held a lock which a file needs; it is tried again. */
  onWait?: (file: string, error: Error) => void;
}

/**
 * Brings the database to this version: the numbered files it has not seen, in order, each in a transaction of its own,
 * while nodes of the version before go on. A file gives up a lock that it does not get at once, and comes back: nobody
 * waits behind it. Nodes that start together wait for each other.
 * @returns the names of the files applied now
 * @throws StartFailure where the database is of a newer version that this one cannot run with, a file was changed after
 * it had been applied, or its locks are not to be had
 */
export async function migrate(
  db: Database,
  { folder = FOLDER, onWait = () => {} }: MigrateOptions = {},
): Promise<string[]> {
  const known = await readMigrations(folder);
  const client = await db.connect(); // of its own: a file's many statements cannot be prepared
  try {
    // Without the lock at first: a node that comes back waits for no long migration of a newer one.
    if (!(await isBehind(client, known))) return [];
    return await inTurn(db, async () => {
      await client.query(CREATE_TABLE);
      const missing = await missingOf(client, known);
      for (const migration of missing) await apply(client, migration, onWait);
      return missing.map(({ name }) => name);
    });
  } finally {
    await client.end(); // rolls back what was not committed
  }
}

/** Holds the lock meanwhile, in a session of its own: it outlasts the transactions of the files. */
async function inTurn<Result>(db: Database, work: () => Promise<Result>): Promise<Result> {
  // Where it is lost another node may begin beside this one: of two that apply a file, its number in the table lets only
  // one commit.
  const session = await openSession(db, systemClock, { onNotice() {}, onLost() {} });
  try {
    // Asked for again and again: `create index concurrently` waits for every statement under way, so one that waited for
    // this lock would wait for it in a circle.
    while (!(await session.lock<{ mine: boolean }>(TRY_LOCK, []))[0]!.mine) await pause(LOCK_POLL_MS);
    return await work();
  } finally {
    await session.close();
  }
}

async function isBehind(client: pg.Client, known: Migration[]): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>(TABLE_THERE);
  return !rows[0]!.there || (await missingOf(client, known)).length > 0;
}

async function missingOf(client: pg.Client, known: Migration[]): Promise<Migration[]> {
  const applied = await client.query<Applied>(APPLIED);
  check(known, applied.rows);
  return known.slice(applied.rows.length);
}

function check(known: Migration[], applied: Applied[]): void {
  for (const { number, name, checksum, runs_with } of applied) {
    const file = known[number - 1];
    if (file === undefined && runs_with !== null && runs_with <= known.length) continue;
    if (file === undefined) {
      throw new StartFailure(
        `The database was last used by a newer Mave: it holds migration ${name}, and this one knows ${known.length} of them. ` +
          "Start the newer version again; a database never goes back.",
      );
    }
    if (file.checksum !== checksum) {
      throw new StartFailure(
        `Migration ${file.name} was changed after this database had applied it as ${name}. ` +
          "Migrations only go forward: restore the file, and put the change into a new one with the next number.",
      );
    }
  }
}

async function apply(
  client: pg.Client,
  migration: Migration,
  onWait: NonNullable<MigrateOptions["onWait"]>,
): Promise<void> {
  const { name } = migration;
  for (let tries = 1; ; tries += 1) {
    try {
      return await (name.endsWith(".concurrently.sql") ? applyConcurrently : applyAtOnce)(client, migration);
    } catch (error) {
      await client.query("rollback").catch(() => {}); // where the connection broke, the server does
      if (!wasHeldUp(error)) throw error;
      if (tries === LIMITS.MIGRATION_TRIES_MAX) throw new StartFailure(heldUp(name), { cause: error });
      onWait(name, error as Error);
      await pause(LIMITS.MIGRATION_RETRY_MS);
    }
  }
}

function applyAtOnce(client: pg.Client, migration: Migration): Promise<void> {
  return briefly(client, async () => {
    await client.query(migration.text);
    await remember(client, migration);
  });
}

/** In one transaction, which gives up a lock that it does not get soon. */
async function briefly(client: pg.Client, work: () => Promise<unknown>): Promise<void> {
  await client.query("begin");
  await client.query(LOCK_TIMEOUT);
  await work();
  await client.query("commit");
}

/**
 * A file of work that takes long and stops nobody. It is a query for the statements that are still missing, each of which
 * runs by itself, outside a transaction where it has to; where one fails or the node ends, the file is asked again.
 */
async function applyConcurrently(client: pg.Client, migration: Migration): Promise<void> {
  const { rows } = await client.query<{ statement: string }>(migration.text);
  for (const { statement } of rows) {
    if (!STOPS_NOBODY.test(statement)) throw new Error(`${migration.name} may not run by itself: ${statement}`);
    // What is built concurrently waits for old transactions, and nobody for it.
    if (statement.includes(" concurrently ")) await client.query(statement);
    else await briefly(client, () => client.query(statement));
  }
  await remember(client, migration);
}

const STOPS_NOBODY =
  /^(?:create (?:unique )?index concurrently |drop index concurrently |alter index .* attach partition )/;

async function remember(client: pg.Client, { number, name, checksum, runs_with }: Migration): Promise<void> {
  await client.query(REMEMBER, [number, name, checksum, runs_with]);
}

/** A lock was not to be had in time, or two would have waited for each other. */
const wasHeldUp = (error: unknown): boolean => ["55P03", "40P01"].includes((error as { code?: string }).code ?? "");

const heldUp = (name: string): string =>
  `Migration ${name} did not get its locks in ${LIMITS.MIGRATION_TRIES_MAX} tries: a long transaction, such as a dump, a ` +
  "report or a vacuum, holds a table that it changes. Nothing of it was done. See pg_stat_activity for the oldest " +
  "xact_start, let that end, and start again.";

async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  return Promise.all(
    names.map(async (name, index) => {
      if (Number.parseInt(name, 10) !== index + 1) throw new Error(`migrations/${name} should be number ${index + 1}`);
      const text = await readFile(`${folder}/${name}`, "utf8");
      const oldest = /^-- Runs with: (\d{4})$/m.exec(text)?.[1];
      const checksum = createHash("sha256").update(text).digest("hex");
      return { number: index + 1, name, text, checksum, runs_with: oldest === undefined ? null : Number(oldest) };
    }),
  );
}

const TRY_LOCK: Statement = {
  name: "migrations_lock",
  text: "select case when $1 then pg_try_advisory_xact_lock(7021773) else pg_try_advisory_lock(7021773) end as mine",
};

// A table of before `runs_with` is one to be made.
const TABLE_THERE = `select exists (
  select from pg_attribute where attrelid = to_regclass('migrations') and attname = 'runs_with') as there`;

const CREATE_TABLE = `create table if not exists migrations (
  number integer primary key,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default now()
);
alter table migrations add column if not exists runs_with integer`;

const APPLIED = "select number, name, checksum, runs_with from migrations order by number";

const LOCK_TIMEOUT = `set local lock_timeout = '${LIMITS.MIGRATION_LOCK_MS}ms'`;

const REMEMBER = "insert into migrations (number, name, checksum, runs_with) values ($1, $2, $3, $4)";
