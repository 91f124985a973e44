import { readFile, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { pause } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import { StartFailure } from "../kernel/start-failure.ts";
import { type Cluster, isAlive, lastWords, openCluster, PORT, run, socketFolder } from "./postgres-cluster.ts";

/**
 * The settings of the embedded PostgreSQL. The durability settings (fsync, full_page_writes and synchronous_commit)
 * keep their default, on. With them off, killing the process lost acknowledged rows.
 */
const SETTINGS = {
  listen_addresses: "", // no TCP port, only a Unix socket in a folder with mode 0700, so no password is needed
  unix_socket_permissions: "0700",
  max_connections: "60",
  shared_buffers: "128MB",
  max_wal_size: "1GB",
  wal_compression: "on",
  jit: "off", // compilation takes longer than running any of our statements
  autovacuum_naptime: "15s", // all rows of the busiest tables are replaced many times a minute
  log_min_messages: "fatal", // clients report their own errors
  log_timezone: "UTC",
  timezone: "UTC",
};

const LOCK = 1_835_103_845; // "mave" in ASCII
const POLL_MS = 20; // a startup takes about half a second
const LOCK_WAIT_MS = 2_000; // how long the server may take to notice that a dead owner's connection is lost
const STOP_MS = 15_000; // a fast shutdown writes at most max_wal_size
const LOG_MAX_BYTES = 1_000_000; // only the last messages are ever read

export interface Connection {
  host: string;
  user: string;
  database: string;
  port: number;
}

export interface EmbeddedPostgres {
  readonly connection: Connection;
  /** Stops the database. */
  end(): Promise<void>;
}

export interface EmbeddedOptions {
  folder: string;
  log: Log;
  /** Called if the database dies and cannot be restarted. */
  onLost: (why: Error) => void;
  /** Additional PostgreSQL settings, for tests. */
  settings?: Record<string, string>;
}

/**
 * Starts a data folder's PostgreSQL, or adopts one that a killed process left running, and restarts it if it dies. Only
 * one process at a time owns the database; the owner holds a session lock until it exits.
 */
export async function startEmbeddedPostgres({
  folder,
  log,
  onLost,
  settings = {},
}: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const cluster = await openCluster(folder);
  let ending = false;
  let owned = await own(cluster, settings);
  let restarted: Promise<void> = Promise.resolve();
  const watch = (): void => {
    owned.guard.once("end", () => {
      if (ending) return;
      log.warn({ folder }, "Embedded database stopped; restarting it");
      restarted = own(cluster, settings).then((again) => {
        owned = again;
        watch();
      }, onLost);
    });
  };
  watch();
  return {
    connection: owned.connection,
    async end() {
      ending = true;
      await restarted; // prevents a restart after the stop
      await stop(cluster);
    },
  };
}

/**
 * Returns the address of a data folder's PostgreSQL, or null if none is running and accepting connections. Changes
 * nothing.
 */
export async function findEmbeddedPostgres(folder: string): Promise<Connection | null> {
  const running = await readPostmaster(join(folder, "postgres", "cluster"));
  return running !== null && (await isResponding(running.connection)) ? running.connection : null;
}

interface Owned {
  connection: Connection;
  /** The connection that holds the lock. It ends when the database stops. */
  guard: pg.Client;
}

async function own(cluster: Cluster, settings: Record<string, string>): Promise<Owned> {
  for (let lockedOut = 0; ; ) {
    const connection = (await takeOver(cluster)) ?? (await start(cluster, settings));
    if (connection === null) continue; // the server is shutting down, or another process is starting it
    const guard = await connect(connection);
    if (guard === null) continue;
    const owner = await lock(guard);
    if (owner === null) {
      await createDatabase(guard);
      return { connection, guard };
    }
    await guard.end();
    lockedOut += 1;
    if (lockedOut * POLL_MS * 5 >= LOCK_WAIT_MS) throw inUse(cluster, owner);
    await pause(POLL_MS * 5);
  }
}

function inUse({ folder }: Cluster, owner: string): StartFailure {
  return new StartFailure(
    `The data folder ${folder} is in use by another Mave server (${owner}). ` +
      "Stop that server first, or set MAVE_DATA_DIR to a different folder.",
  );
}

/** Tries to take the lock. @returns null if this process now holds it, otherwise a description of its owner */
async function lock(guard: pg.Client): Promise<string | null> {
  const tried = await guard.query("select pg_try_advisory_lock($1) as ours", [LOCK]);
  if (tried.rows[0].ours === true) return null;
  const found = await guard.query(
    `select application_name from pg_stat_activity join pg_locks using (pid)
     where locktype = 'advisory' and objid = $1 and granted`,
    [LOCK],
  );
  return found.rows[0]?.application_name ?? "a process that is exiting";
}

/**
 * Waits without a deadline for a postmaster that is already running, until it accepts connections or exits. Recovery
 * after a crash can take long if there is much WAL, and a stopped recovery would have to start over.
 * @returns null if there is none
 */
async function takeOver(cluster: Cluster): Promise<Connection | null> {
  for (;;) {
    const running = await readPostmaster(cluster.data);
    if (running === null) return null;
    if (await isResponding(running.connection)) return running.connection;
    if (!(await isPostgresOf(running.pid, cluster))) {
      await rm(join(cluster.data, "postmaster.pid"), { force: true }); // left over from a machine crash
      return null;
    }
    await pause(POLL_MS); // it is starting, recovering or stopping
  }
}

interface Postmaster {
  pid: number;
  connection: Connection;
}

/** Reads postmaster.pid. Its first lines are the process id, data folder, start time, port and socket folder. */
async function readPostmaster(data: string): Promise<Postmaster | null> {
  const text = await readFile(join(data, "postmaster.pid"), "utf8").catch(() => null);
  const [pid, , , port, host] = text?.split("\n") ?? [];
  if (!pid || !port || !host) return null;
  return { pid: Number(pid), connection: connectionTo(host) };
}

const connectionTo = (host: string): Connection => ({ host, user: "mave", database: "mave", port: PORT });

/** Checks the process's command line as well, because a process id may be reused after the machine restarts. */
async function isPostgresOf(pid: number, cluster: Cluster): Promise<boolean> {
  if (!isAlive(pid)) return false;
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => null);
  return command === null ? process.platform !== "linux" : command.includes(cluster.data);
}

/** @returns null if another process holds the data folder */
async function start(cluster: Cluster, settings: Record<string, string>): Promise<Connection | null> {
  const log = join(cluster.home, "log");
  const written = await stat(log).catch(() => null);
  if (written !== null && written.size > LOG_MAX_BYTES) await truncate(log);
  const host = await socketFolder(cluster);
  const all = { ...SETTINGS, ...settings, port: String(PORT), unix_socket_directories: host };
  const child = await run(cluster, "postgres", [
    "-D",
    cluster.data,
    ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ]);
  child.unref();
  while (child.exitCode === null && child.signalCode === null) {
    if (await isResponding(connectionTo(host))) return connectionTo(host);
    await pause(POLL_MS);
  }
  const words = await lastWords(log);
  await truncate(log); // so that old messages are not read again
  if (!HELD.test(words)) throw new StartFailure(`The embedded PostgreSQL in ${cluster.home} did not start: ${words}`);
  await pause(POLL_MS * 5);
  return null;
}

/** Logged if the lock file or shared memory still belongs to a postmaster that is stopping or starting. */
const HELD = /lock file ".+" already exists|pre-existing shared memory block/;

const isResponding = async (connection: Connection): Promise<boolean> => {
  const client = await connect(connection);
  await client?.end();
  return client !== null;
};

/** @returns null if the server does not accept connections */
async function connect(connection: Connection): Promise<pg.Client | null> {
  // Does not connect to `mave`, because tests copy it, and a database with open connections cannot be copied.
  const limits = { connectionTimeoutMillis: LIMITS.DATABASE_CONNECT_MS, query_timeout: LIMITS.STATEMENT_MS };
  const name = `process ${process.pid}`;
  const client = new pg.Client({ ...connection, ...limits, database: "postgres", application_name: name });
  client.on("error", () => {}); // only the "end" event matters
  return client.connect().then(
    () => client,
    () => null,
  );
}

async function createDatabase(guard: pg.Client): Promise<void> {
  const found = await guard.query("select from pg_database where datname = 'mave'");
  if (found.rowCount === 0) await guard.query("create database mave");
}

/** Requests a fast shutdown. If that hangs, requests an immediate one, after which the next startup runs recovery. */
async function stop(cluster: Cluster): Promise<void> {
  const running = await readPostmaster(cluster.data);
  if (running === null || !(await isPostgresOf(running.pid, cluster))) return;
  process.kill(running.pid, "SIGINT");
  for (let waited_ms = 0; isAlive(running.pid); waited_ms += POLL_MS) {
    if (waited_ms === STOP_MS) process.kill(running.pid, "SIGQUIT");
    await pause(POLL_MS);
  }
  const { host } = running.connection;
  if (!host.startsWith(cluster.home)) await rm(host, { recursive: true, force: true });
}
