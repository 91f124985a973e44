import type { Writable } from "node:stream";
import pg from "pg";
import { LIMITS } from "../kernel/limits.ts";

/** A statement with a name of its own, prepared once per connection. `text` is fixed: no SQL is put together at run time. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Anything that runs statements: the pool, or one transaction of it. */
export interface Sql {
  /** @returns the rows; throws pg's error where the statement fails */
  run<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
}

/** One transaction. */
export interface Transaction extends Sql {
  /**
   * Runs its last statement: the commit goes out with it, not after its response, which saves a way to the server and
   * back. Where the statement fails, that commit rolls back.
   */
  last<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
}

/**
 * What a caller adds to a change's own transaction: run last before its commit, with the change's result. So an audit
 * entry or the remembered response of an Idempotency-Key is committed with the change or not at all, and the domain knows
 * neither. Every changing function of a domain takes one as its last, optional argument.
 */
export type Alongside<Result> = (tx: Sql, result: Result) => Promise<void>;

export interface Database extends Sql {
  /** Commits what `work` did, or rolls all of it back and throws what it threw. */
  transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result>;
  /** A connection of its own, outside the pool: for LISTEN and for locks that last as long as a session. */
  connect(): Promise<pg.Client>;
  /** Whether what `connect` opens has a session of the server for one transaction at a time only; `openSession` copes. */
  readonly sharesSessions: boolean;
  /** The connections themselves, for the sign-in library only: it brings its own SQL for its own schema. */
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

/** Where a server is: a connection string, or the folder of its Unix socket with a user and database name. */
export type Address = string | { host: string; user: string; database: string; port?: number };

export interface DatabaseOptions {
  connection: Address;
  /** Whether a pooler stands there that gives one session of the server to several clients in turn. */
  pooled?: boolean;
  /** The way past that pooler, for what needs a whole session. */
  direct?: Address | null;
  /** Connections at most. */
  connections: number;
  /** Told of a connection that broke while it idled; the pool replaces it. */
  onError?: (error: Error) => void;
}

const INT8 = 20;
const types = new pg.TypeOverrides();
types.setTypeParser(INT8, Number); // counts and sizes, all far below 2^53

// Every statement is written for an index; the planner must not read a table whole because an autovacuum saw the queue,
// or a day of the history, while it was empty. And to compile a plan takes longer than to run any of ours.
// A process that stands still inside a transaction must not keep its rows for as long as it does.
const SETTINGS = `select set_config('enable_seqscan', 'off', false), set_config('jit', 'off', false),
  set_config('idle_in_transaction_session_timeout', '${LIMITS.TRANSACTION_IDLE_MS}', false)`;

export function openDatabase(options: DatabaseOptions): Database {
  const { connection, pooled = false, direct = null, connections, onError = () => {} } = options;
  const waits = { connectionTimeoutMillis: 5_000, idleTimeoutMillis: 30_000 };
  const pool = new pg.Pool({ ...optionsOf(connection), ...waits, max: connections });
  const run = pooled ? runUnprepared : runPrepared;
  pool.on("error", onError);
  // The pool listens to idle connections only: one that breaks inside a transaction, between two statements, would end
  // the process. Its next statement fails, and that is what the transaction hears.
  pool.on("connect", (client) => {
    client.on("error", () => {});
    client.query(SETTINGS).catch(() => {}); // where it fails, the statement behind it fails too
  });
  return {
    run: (statement, values) => run(pool, statement, values),
    transaction: (work) => transaction(pool, run, work),
    connect: () => connectTo(direct ?? connection),
    sharesSessions: pooled && direct === null,
    pool,
    close: () => pool.end(),
  };
}

/** One connection, which is the caller's to end. */
export async function connectTo(connection: Address): Promise<pg.Client> {
  const client = new pg.Client({ ...optionsOf(connection), keepAlive: true });
  client.on("error", () => {}); // without a listener a break would end the process; the next statement fails
  await client.connect();
  return client;
}

/** Pipelined: a statement goes out before the response to the one before it, where its caller does not wait for that. */
function optionsOf(connection: Address): pg.ClientConfig {
  const where = typeof connection === "string" ? { connectionString: connection } : connection;
  return { ...where, types, application_name: "mave", pipeline: true };
}

async function transaction<Result>(
  pool: pg.Pool,
  runOn: RunOn,
  work: (tx: Transaction) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect();
  let [committed, broken]: [Promise<unknown>?, Error?] = [];
  const commit = () => {
    committed = client.query("commit");
    committed.catch(() => {}); // heard below, or of the statement before it
  };
  const run: Sql["run"] = (statement, values) => {
    if (committed !== undefined) throw new Error(`${statement.name} comes after the transaction's last statement`);
    return runOn(client, statement, values);
  };
  const tx: Transaction = {
    run,
    last: (statement, values) =>
      together(client, () => {
        const rows = run<never>(statement, values);
        commit();
        return rows;
      }),
  };
  try {
    const { begun, result } = together(client, () => {
      const begun = client.query("begin"); // the first statement goes out with it, not after its response
      begun.catch(() => {}); // heard below, or of that statement, which fails too
      return { begun, result: work(tx) };
    });
    const done = await result;
    await begun;
    if (committed === undefined) commit();
    await committed;
    return done;
  } catch (error) {
    // A connection that cannot even roll back is thrown away; the server rolls back what it held.
    await client.query("rollback").catch((cause: Error) => {
      broken = cause;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

/** What is sent until `send` returns leaves in one write: each is a call to the system that may give the core away. */
function together<Result>(client: pg.PoolClient, send: () => Result): Result {
  const { stream } = (client as pg.PoolClient & { connection: { stream: Writable } }).connection;
  stream.cork();
  try {
    return send();
  } finally {
    stream.uncork();
  }
}

type RunOn = <Row>(
  target: pg.Pool | pg.PoolClient,
  statement: Statement,
  values?: readonly unknown[],
) => Promise<Row[]>;

const runPrepared: RunOn = async (target, { name, text }, values = []) =>
  (await target.query({ name, text, values: values as unknown[] })).rows;

/** For a pooler that shares sessions: a name is known to one of them only, and the next statement may run in another. */
const runUnprepared: RunOn = async (target, { text }, values = []) =>
  (await target.query({ text, values: values as unknown[] })).rows;
