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
const LOCK_POLL_MS = 100; // another node holds the lock until its migrations are done

interface Migration {
  number: number;
  name: string;
  text: string;
  checksum: string;
  /**
   * The number of the newest migration that a node must know to keep running once this one is applied; null means this
   * one.
   */
  runs_with: number | null;
}

type Applied = Omit<Migration, "text">;

export interface MigrateOptions {
  folder?: string;
  /** Called each time a migration fails to acquire a lock and will be retried. */
  onWait?: (file: string, error: Error) => void;
}

/**
 * Brings the database up to this version: applies new migrations in order while nodes running the previous version keep
 * working. Each runs in its own transaction, except those in `.concurrently.sql` files. A migration that cannot acquire
 * a lock quickly is rolled back and retried, so that no statement queues behind it for long. Nodes that start at the
 * same time wait for each other.
 * @returns the file names of the migrations that this call applied
 * @throws StartFailure if the database is from a newer version whose migrations this one cannot run with, an applied
 * migration was changed, or a migration cannot acquire its locks
 */
export async function migrate(
  db: Database,
  { folder = FOLDER, onWait = () => {} }: MigrateOptions = {},
): Promise<string[]> {
  const known = await readMigrations(folder);
  // Not a pool connection, because a file with several statements cannot be prepared.
  const client = await db.connect(LIMITS.MIGRATION_STATEMENT_MS);
  try {
    // First checks without the lock, so that a restarting node does not wait for a newer node's long migration.
    if (!(await isBehind(client, known))) return [];
    return await withLock(db, async () => {
      await client.query(CREATE_TABLE);
      const missing = await missingOf(client, known);
      for (const migration of missing) await apply(client, migration, onWait);
      return missing.map(({ name }) => name);
    });
  } finally {
    await client.end(); // rolls back an open transaction
  }
}

/** Runs `work` while a dedicated session holds the migration lock, which must outlast each migration's transaction. */
async function withLock<Result>(db: Database, work: () => Promise<Result>): Promise<Result> {
  // If the session is lost, another node may also start migrating. If both apply the same migration, only one can
  // commit, because the migration's number is the table's primary key.
  const session = await openSession(db, systemClock, { onNotice() {}, onLost() {} });
  try {
    // The lock is polled, because a statement that waited for it would deadlock with `create index concurrently`, which
    // waits for every running statement.
    while (!(await session.lock<{ locked: boolean }>(TRY_LOCK, []))[0]!.locked) await pause(LOCK_POLL_MS);
    return await work();
  } finally {
    await session.close();
  }
}

async function isBehind(client: pg.Client, known: Migration[]): Promise<boolean> {
  const { rows } = await client.query<{ exists: boolean }>(TABLE_EXISTS);
  return !rows[0]!.exists || (await missingOf(client, known)).length > 0;
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
        `The database was last used by a newer Mave: it has migration ${name}, but this version knows only ${known.length}. ` +
          "Start the newer version again; a database cannot be downgraded.",
      );
    }
    if (file.checksum !== checksum) {
      throw new StartFailure(
        `Migration ${file.name} was changed after this database applied it as ${name}. ` +
          "Restore the file, and put the change into a new file with the next number.",
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
      return await (name.endsWith(".concurrently.sql") ? applyConcurrently : applyInTransaction)(client, migration);
    } catch (error) {
      await client.query("rollback").catch(() => {}); // if the connection broke, the server rolls back
      if (!isLockFailure(error)) throw error;
      if (tries === LIMITS.MIGRATION_TRIES_MAX) throw new StartFailure(lockedOut(name), { cause: error });
      onWait(name, error as Error);
      await pause(LIMITS.MIGRATION_RETRY_MS);
    }
  }
}

function applyInTransaction(client: pg.Client, migration: Migration): Promise<void> {
  return withLockTimeout(client, async () => {
    await client.query(migration.text);
    await markApplied(client, migration);
  });
}

/** Runs `work` in a transaction that fails if it waits too long for a lock. */
async function withLockTimeout(client: pg.Client, work: () => Promise<unknown>): Promise<void> {
  await client.query("begin");
  await client.query(LOCK_TIMEOUT);
  await work();
  await client.query("commit");
}

/**
 * Applies a long-running migration that blocks no other statements. Its file is a query that returns the statements
 * still to run. Each statement runs separately, outside a transaction if necessary. If one fails or the node is killed,
 * the next try runs the query again.
 */
async function applyConcurrently(client: pg.Client, migration: Migration): Promise<void> {
  const { rows } = await client.query<{ statement: string }>(migration.text);
  for (const { statement } of rows) {
    if (!NON_BLOCKING.test(statement)) throw new Error(`${migration.name} must not run concurrently: ${statement}`);
    // A concurrent build needs no lock timeout, because no statement waits for it, although it waits for older
    // transactions.
    if (statement.includes(" concurrently ")) await client.query(statement);
    else await withLockTimeout(client, () => client.query(statement));
  }
  await markApplied(client, migration);
}

const NON_BLOCKING =
  /^(?:create (?:unique )?index concurrently |drop index concurrently |alter index .* attach partition )/;

async function markApplied(client: pg.Client, { number, name, checksum, runs_with }: Migration): Promise<void> {
  await client.query(MARK_APPLIED, [number, name, checksum, runs_with]);
}

/** Whether the error is a lock timeout or a deadlock. */
const isLockFailure = (error: unknown): boolean => ["55P03", "40P01"].includes((error as { code?: string }).code ?? "");

const lockedOut = (name: string): string =>
  `Migration ${name} could not acquire its locks in ${LIMITS.MIGRATION_TRIES_MAX} tries, because a long transaction, ` +
  "such as a dump, a report or a vacuum, holds a lock on a table that the migration changes. The migration was not " +
  "applied. Find the transaction with the oldest xact_start in pg_stat_activity, let it end, and start again.";

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
  text: "select case when $1 then pg_try_advisory_xact_lock(7021773) else pg_try_advisory_lock(7021773) end as locked",
};

const TABLE_EXISTS = "select to_regclass('migrations') is not null as exists";

const CREATE_TABLE = `create table if not exists migrations (
  number integer primary key,
  name text not null,
  checksum text not null,
  runs_with integer,
  applied_at timestamptz not null default now()
)`;

const APPLIED = "select number, name, checksum, runs_with from migrations order by number";

const LOCK_TIMEOUT = `set local lock_timeout = '${LIMITS.MIGRATION_LOCK_MS}ms'`;

const MARK_APPLIED = "insert into migrations (number, name, checksum, runs_with) values ($1, $2, $3, $4)";
