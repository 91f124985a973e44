import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import { StartFailure } from "../kernel/start-failure.ts";
import { type Database, type DatabaseOptions, openDatabase } from "./db.ts";
import { startEmbeddedPostgres } from "./embedded-postgres.ts";
import { migrate } from "./migrate.ts";
import { leadToOneDatabase, sharesSessions } from "./pooler.ts";

const OLDEST = 150_000; // PostgreSQL 15, the version in Debian 12

export interface Store {
  db: Database;
  /** Closes the connections, and stops the embedded PostgreSQL if there is one. */
  close(): Promise<void>;
}

export interface StoreOptions {
  databaseUrl: string | null;
  /** The database's own address, if `databaseUrl` is the address of a pooler. */
  databaseDirectUrl?: string | null;
  dataDir: string;
  log: Log;
  onLost: (why: Error) => void;
}

/**
 * Connects to the database, starting the embedded one if there is no URL, and migrates it.
 * @throws StartFailure if the database is unreachable or unsuitable
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { databaseUrl, databaseDirectUrl = null, dataDir, log, onLost } = options;
  const embedded = databaseUrl === null ? await startEmbeddedPostgres({ folder: dataDir, log, onLost }) : null;
  const ways = embedded ? { connection: embedded.connection } : await findWays(databaseUrl!, databaseDirectUrl, log);
  let closing = false; // while closing, broken connections are expected
  const db = openDatabase({
    ...ways,
    connections: LIMITS.DATABASE_CONNECTIONS,
    onError(error) {
      if (!closing) log.warn({ reason: error.message }, "Idle database connection broke; reconnecting");
    },
    onEffectError: (err) => log.error({ err }, "After-commit effect failed; the commit stands"),
  });
  const close = async (): Promise<void> => {
    closing = true;
    await db.close();
    await embedded?.end();
  };
  try {
    await check(db, log);
    const onWait = (file: string, { message }: Error) =>
      log.warn({ migration: file, reason: message }, "Migration could not acquire its locks; retrying");
    const applied = await migrate(db, { onWait });
    if (applied.length > 0) log.info({ migrations: applied }, "Applied database migrations");
    return { db, close };
  } catch (error) {
    await close();
    throw asStartFailure(error, "DATABASE_URL");
  }
}

type Ways = Pick<DatabaseOptions, "connection" | "pooled" | "direct">;

/** Determines whether the operator's URLs point to a transaction-mode pooler or directly to the database. */
async function findWays(url: string, directUrl: string | null, log: Log): Promise<Ways> {
  const pooled = await sharesSessions(url).catch(failAs("DATABASE_URL"));
  if (directUrl === null) {
    if (pooled) log.info(POLLING);
    return { connection: url, pooled, direct: null };
  }
  if (await sharesSessions(directUrl).catch(failAs(DIRECT_URL))) throw new StartFailure(NOT_DIRECT);
  if (!(await leadToOneDatabase(url, directUrl).catch(failAs(DIRECT_URL)))) throw new StartFailure(TWO_DATABASES);
  return { connection: url, pooled, direct: directUrl };
}

const DIRECT_URL = "MAVE_DATABASE_DIRECT_URL";

const POLLING =
  "DATABASE_URL points to a connection pooler that shares sessions between clients. Everything works, but nodes poll " +
  "for each other's changes every second. To have nodes notified immediately, set " +
  `${DIRECT_URL} to the database's own address.`;

const NOT_DIRECT =
  `${DIRECT_URL} points to a connection pooler that shares sessions between clients. Only DATABASE_URL may point to ` +
  `such a pooler. Set ${DIRECT_URL} to the database's own address, or leave it unset to let the nodes poll.`;

// With two databases, each node would presume the others dead and repeat their in-flight attempts.
const TWO_DATABASES =
  `DATABASE_URL and ${DIRECT_URL} point to different databases: a lock taken through one is free through the other. ` +
  "Both must point to the same database on the same server, which must not be a replica.";

const SETTINGS = {
  name: "durability_settings",
  text: `select current_setting('server_version_num')::int as version, current_setting('server_version') as name,
           array(select setting from unnest(array['fsync', 'full_page_writes', 'synchronous_commit']) as setting
                 where current_setting(setting) = 'off') as off`,
};

/** Rejects PostgreSQL versions that are too old, and warns about settings that can lose acknowledged rows. */
async function check(db: Database, log: Log): Promise<void> {
  const [server] = await db.run<{ version: number; name: string; off: string[] }>(SETTINGS);
  if (server!.version < OLDEST) {
    throw new StartFailure(`The database is PostgreSQL ${server!.name}; Mave needs 15 or newer.`);
  }
  if (server!.off.length > 0) {
    log.warn(
      { off: server!.off },
      "These PostgreSQL settings are off, so a crash can lose acknowledged events; turn them on",
    );
  }
}

/**
 * Turns errors that the operator must fix, such as an unreachable database or a rejected login, into a StartFailure.
 */
function asStartFailure(error: unknown, setting: string): unknown {
  const { code = "", message } = error as { code?: string; message?: string };
  if (error instanceof StartFailure || !/^(?:E[A-Z]+|08...|28...|3D000|42501|53300|57P0.)$/.test(code)) return error;
  return new StartFailure(
    `The database at ${setting} cannot be used (${message || code}). ` +
      "Check that it is running, that its host, port, name, user and password are correct, and that the user may create " +
      "tables.",
    { cause: error },
  );
}

const failAs = (setting: string) => (error: unknown) => {
  throw asStartFailure(error, setting);
};
