import type { Log } from "../log.ts";
import { StartFailure } from "../start-failure.ts";
import { type Database, openDatabase } from "./db.ts";
import { startEmbeddedPostgres } from "./embedded-postgres.ts";
import { migrate } from "./migrate.ts";
import { sharesSessions } from "./pooler.ts";

const CONNECTIONS = 20; // an embedded PostgreSQL takes 60; an outside one is shared by several nodes
const OLDEST = 150_000; // PostgreSQL 15, Debian 12's

export interface Store {
  db: Database;
  /** Ends the connections, and the embedded PostgreSQL where there is one. */
  close(): Promise<void>;
}

export interface StoreOptions {
  databaseUrl: string | null;
  dataDir: string;
  log: Log;
  onLost: (why: Error) => void;
}

/** The database, running and up to date. @throws StartFailure where it cannot be reached or does not fit */
export async function openStore({ databaseUrl, dataDir, log, onLost }: StoreOptions): Promise<Store> {
  const embedded = databaseUrl === null ? await startEmbeddedPostgres({ folder: dataDir, log, onLost }) : null;
  let closing = false; // then connections break by our own doing
  const db = openDatabase({
    connection: embedded?.connection ?? databaseUrl!,
    connections: CONNECTIONS,
    onError(error) {
      if (!closing) log.warn({ reason: error.message }, "A database connection broke; another takes its place.");
    },
  });
  const close = async (): Promise<void> => {
    closing = true;
    await db.close();
    await embedded?.end();
  };
  try {
    if (embedded === null && (await sharesSessions(db))) throw new StartFailure(POOLED);
    await check(db, log);
    const onWait = (file: string, { message }: Error) =>
      log.warn({ migration: file, reason: message }, "A migration could not have its locks; it is tried again.");
    const applied = await migrate(db, { onWait });
    if (applied.length > 0) log.info({ migrations: applied }, "The database was brought up to date.");
    return { db, close };
  } catch (error) {
    await close();
    throw asStartFailure(error);
  }
}

const SETTINGS = {
  name: "durability_settings",
  text: `select current_setting('server_version_num')::int as version, current_setting('server_version') as name,
           array(select setting from unnest(array['fsync', 'full_page_writes', 'synchronous_commit']) as setting
                 where current_setting(setting) = 'off') as off`,
};

const POOLED =
  "DATABASE_URL leads to a connection pooler that shares sessions between its clients (pgbouncer calls it " +
  "pool_mode = transaction). Mave's nodes know each other by what a session holds, and two in one session would both " +
  "send the same deliveries. Give it the database's own address, or a pool of whole sessions (pool_mode = session).";

/** Refuses a PostgreSQL that is too old, and warns of one that may lose what it has acknowledged. */
async function check(db: Database, log: Log): Promise<void> {
  const [server] = await db.run<{ version: number; name: string; off: string[] }>(SETTINGS);
  if (server!.version < OLDEST) {
    throw new StartFailure(`The database is PostgreSQL ${server!.name}; Mave needs 15 or newer.`);
  }
  if (server!.off.length > 0) {
    log.warn(
      { off: server!.off },
      "PostgreSQL runs with these settings off: events that were acknowledged can be lost in a crash. Turn them on.",
    );
  }
}

/** A database that does not answer, or does not let us in, is the operator's to mend. */
function asStartFailure(error: unknown): unknown {
  const { code = "", message } = error as { code?: string; message?: string };
  if (error instanceof StartFailure || !/^(?:E[A-Z]+|28...|3D000|42501|53300|57P0.)$/.test(code)) return error;
  return new StartFailure(
    `The database of DATABASE_URL cannot be used (${message || code}). ` +
      "Check that it runs, that its host, port, name, user and password are right, and that the user may create tables.",
    { cause: error },
  );
}
