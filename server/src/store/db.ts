import type { Writable } from "node:stream";
import pg from "pg";
import { LIMITS } from "../kernel/limits.ts";

/** A named statement, prepared once per connection. `text` is fixed: no SQL is assembled at run time. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Anything that runs statements: the pool or one of its transactions. */
export interface Sql {
  /** Returns the rows, or rejects with pg's error if the statement fails. */
  run<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
}

/**
 * Runs a change in a transaction: a new one if this is a database, or the same one if this is already a transaction.
 * Functions that make changes take a `Transactional` as their first argument, so that the caller decides what else
 * commits with the change.
 */
export interface Transactional extends Sql {
  /**
   * Commits the changes made by `work`, or rolls them all back and rethrows its error.
   * @param limit_ms time limit for each of its statements, if STATEMENT_MS is too short; ignored if `work` joins an
   * open transaction
   */
  transaction<Result>(work: (tx: Transaction) => Promise<Result>, limit_ms?: number): Promise<Result>;
}

/** One transaction. It takes a connection from the pool when its first statement runs. */
export interface Transaction extends Transactional {
  /**
   * Runs the transaction's last statement and sends the commit along with it, without waiting for the statement's
   * response. This saves a round trip. If the statement fails, the commit rolls the transaction back.
   */
  last<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
  /**
   * Runs `effect` after the commit succeeds and before `transaction` resolves. Effects start in registration order. Use
   * them for signals and anything else that must not happen on a rollback. An error in an effect is reported but does
   * not change the result.
   */
  afterCommit(effect: Effect): void;
}

export type Effect = () => unknown;

export interface Database extends Transactional {
  /**
   * A connection outside the pool, for LISTEN, session-level locks and migrations.
   * @param limit_ms time limit for each of its statements; default: STATEMENT_MS
   */
  connect(limit_ms?: number): Promise<pg.Client>;
  /** Whether `connect` reaches a pooler that assigns sessions per transaction; `openSession` handles that case. */
  readonly sharesSessions: boolean;
  /** The pool itself. It is only for the sign-in library, which has its own SQL and schema. */
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

/** A database's address: a connection string, or a Unix socket's folder with a user and database name. */
export type Address = string | { host: string; user: string; database: string; port?: number };

export interface DatabaseOptions {
  connection: Address;
  /** Whether the address points to a transaction-mode pooler. */
  pooled?: boolean;
  /** The database's own address behind that pooler, for work that needs a dedicated session. */
  direct?: Address | null;
  /** Maximum number of connections. */
  connections: number;
  /** Time limit for each statement. Default: STATEMENT_MS. */
  statement_ms?: number;
  /** Called when an idle connection breaks. The pool then replaces the connection. */
  onError?: (error: Error) => void;
  /** Called when an effect of a committed transaction fails. By default the error ends the process, as any bug does. */
  onEffectError?: (error: unknown) => void;
}

const INT8 = 20;
const types = new pg.TypeOverrides();
types.setTypeParser(INT8, Number); // counts and sizes, all far below 2^53

/** The server's limit is slightly shorter, so that the server cancels first, which leaves the connection usable. */
const serverLimit_ms = (limit_ms: number): number => Math.ceil(limit_ms * 0.9);

// Every statement is written for an index, so the planner must not scan a whole table just because the queue or a day
// of history was empty when autovacuum last analyzed it. JIT compilation takes longer than running any of our
// statements. A process that stalls inside a transaction must not keep its rows locked, and neither must a statement
// whose client has given up on it.
const settings = (statement_ms: number): string =>
  `select set_config('enable_seqscan', 'off', false), set_config('jit', 'off', false),
     set_config('statement_timeout', '${serverLimit_ms(statement_ms)}', false),
     set_config('idle_in_transaction_session_timeout', '${LIMITS.TRANSACTION_IDLE_MS}', false)`;

const beginLong = (limit_ms: number): string =>
  `begin; set local statement_timeout = ${serverLimit_ms(limit_ms)};
   set local idle_in_transaction_session_timeout = ${limit_ms}`;

export function openDatabase(options: DatabaseOptions): Database {
  const { connection, pooled = false, direct = null, connections, onError = () => {} } = options;
  const { onEffectError = throwLater, statement_ms = LIMITS.STATEMENT_MS } = options;
  const pool = new pg.Pool({
    ...optionsOf(connection, statement_ms),
    idleTimeoutMillis: LIMITS.DATABASE_IDLE_MS,
    max: connections,
  });
  const send = sender(pool, pooled, statement_ms);
  pool.on("error", onError);
  // The pool handles errors only on idle connections. Without a listener, a connection that breaks between two
  // statements of a transaction would end the process; with one, the transaction's next statement fails.
  pool.on("connect", (client) => {
    client.on("error", () => {});
    client.query(settings(statement_ms)).catch(() => {}); // if it fails, the next statement fails too
  });
  return {
    run: ({ name, text }, values = []) => send(pool, { name, text, values }),
    transaction: (work, limit_ms) => transaction(new TransactionSession(pool, send, limit_ms), work, onEffectError),
    connect: (limit_ms = statement_ms) => connectTo(direct ?? connection, limit_ms),
    sharesSessions: pooled && direct === null,
    pool,
    close: () => pool.end(),
  };
}

/** A statement that the database did not complete in time. It may have taken effect. */
export class StatementOverrun extends Error {
  readonly code = "57014"; // as if PostgreSQL had canceled it

  constructor(name: string, limit_ms: number) {
    super(`The database did not complete ${name} within ${limit_ms / 1_000} s.`);
  }
}

/**
 * Returns the rows. `limit_ms` defaults to the database's limit. Without `values`, `text` may hold several statements.
 */
type Send = <Row>(
  target: pg.Pool | pg.PoolClient,
  query: { name?: string; text: string; values?: readonly unknown[] },
  limit_ms?: number,
) => Promise<Row[]>;

/** The message of pg's error when a statement exceeds its `query_timeout`. pg then destroys the connection. */
const OVERRUN = "Query read timeout";

/** Behind a transaction-mode pooler, statements are not prepared, because the next run may use another session. */
function sender(pool: pg.Pool, pooled: boolean, statement_ms: number): Send {
  const dropIdle = idleConnections(pool);
  return async (target, { name, text, values }, limit_ms = statement_ms) => {
    const query = { name: pooled ? undefined : name, text, values: values as unknown[], query_timeout: limit_ms };
    try {
      return (await target.query(query)).rows;
    } catch (error) {
      if ((error as Error).message !== OVERRUN) throw error;
      await dropIdle();
      throw new StatementOverrun(name ?? text, limit_ms);
    }
  };
}

/**
 * Tracks the pool's idle connections.
 * @returns a function that closes them. If a database vanishes without closing its connections, the idle ones are as
 * dead as the one whose statement timed out, and each would make another statement wait for its full time limit
 */
function idleConnections(pool: pg.Pool): () => Promise<void> {
  const idle = new Set<pg.PoolClient>();
  pool.on("release", (_error, client) => idle.add(client));
  pool.on("acquire", (client) => idle.delete(client));
  pool.on("remove", (client) => idle.delete(client));
  return async () => {
    const streams = [...idle].map(streamOf).filter((stream) => !stream.destroyed);
    idle.clear();
    const closed = streams.map((stream) => new Promise((resolve) => stream.once("close", resolve)));
    for (const stream of streams) stream.destroy();
    await Promise.all(closed); // by then, the pool has removed them
  };
}

/** Opens one connection, which the caller must end. */
export async function connectTo(connection: Address, limit_ms: number = LIMITS.STATEMENT_MS): Promise<pg.Client> {
  const client = new pg.Client(optionsOf(connection, limit_ms));
  client.on("error", () => {}); // without a listener, a broken connection would end the process
  await client.connect();
  return client;
}

/** Connections are pipelined: a statement may be sent before the previous one's response arrives. */
function optionsOf(connection: Address, limit_ms: number): pg.ClientConfig {
  const where = typeof connection === "string" ? { connectionString: connection } : connection;
  const limits = { connectionTimeoutMillis: LIMITS.DATABASE_CONNECT_MS, query_timeout: limit_ms };
  const keepAlive = { keepAlive: true, keepAliveInitialDelayMillis: LIMITS.DATABASE_KEEPALIVE_MS };
  return { ...where, ...limits, ...keepAlive, types, application_name: "mave", pipeline: true };
}

async function transaction<Result>(
  session: TransactionSession,
  work: (tx: Transaction) => Promise<Result>,
  onEffectError: (error: unknown) => void,
): Promise<Result> {
  const effects: Effect[] = [];
  let result: Result;
  try {
    result = await work(transactionOn(session, effects));
    await session.commit();
  } catch (error) {
    await session.rollback();
    throw error;
  }
  await runEffects(effects, onEffectError);
  return result;
}

/** Returns a transaction that runs its statements with `run` and `last`. The caller runs `effects` after the commit. */
export function transactionOn({ run, last }: Pick<Transaction, "run" | "last">, effects: Effect[]): Transaction {
  const tx: Transaction = {
    run,
    last,
    transaction: (work) => work(tx),
    afterCommit: (effect) => void effects.push(effect),
  };
  return tx;
}

/** Starts all effects in order, then waits for the asynchronous ones. */
export async function runEffects(effects: readonly Effect[], onError: (error: unknown) => void): Promise<void> {
  if (effects.length === 0) return;
  await Promise.all(effects.map(async (effect) => effect()).map((ending) => ending.catch(onError)));
}

const throwLater = (error: unknown): void => {
  queueMicrotask(() => {
    throw error;
  });
};

/** One transaction's connection, taken from the pool when the first statement runs. `begin` is sent along with it. */
class TransactionSession {
  readonly #pool: pg.Pool;
  readonly #sendOn: Send;
  readonly #limit_ms: number | undefined;
  #connecting: Promise<pg.PoolClient> | undefined;
  #begun: Promise<unknown> | undefined;
  #committed: Promise<unknown> | undefined;
  #isClosed = false;

  constructor(pool: pg.Pool, sendOn: Send, limit_ms: number | undefined) {
    this.#pool = pool;
    this.#sendOn = sendOn;
    this.#limit_ms = limit_ms;
  }

  run: Sql["run"] = (statement, values = []) => this.#send(statement, values, false);
  last: Sql["run"] = (statement, values = []) => this.#send(statement, values, true);

  async #send<Row>(statement: Statement, values: readonly unknown[], isLast: boolean): Promise<Row[]> {
    if (this.#isClosed) throw new Error(`${statement.name} comes after the transaction's last statement`);
    this.#isClosed = isLast;
    this.#connecting ??= this.#pool.connect();
    const client = await this.#connecting;
    return together(client, () => {
      this.#begun ??= handled(this.#begin(client));
      const { name, text } = statement;
      const rows = this.#sendOn<Row>(client, { name, text, values }, this.#limit_ms);
      if (isLast) this.#committed = handled(this.#end(client, "commit"));
      return rows;
    });
  }

  #begin(client: pg.PoolClient): Promise<unknown> {
    const limit_ms = this.#limit_ms;
    return this.#sendOn(client, { text: limit_ms === undefined ? "begin" : beginLong(limit_ms) }, limit_ms);
  }

  #end(client: pg.PoolClient, text: "commit" | "rollback"): Promise<unknown> {
    return this.#sendOn(client, { text }, this.#limit_ms);
  }

  async commit(): Promise<void> {
    this.#isClosed = true;
    const client = await this.#connecting;
    if (client === undefined) return;
    await this.#begun;
    await (this.#committed ?? this.#end(client, "commit"));
    client.release();
  }

  async rollback(): Promise<void> {
    this.#isClosed = true;
    const client = await this.#connecting?.catch(() => undefined);
    // A connection that cannot roll back is discarded; the server then rolls back its transaction.
    if (client === undefined) return;
    const broken = await this.#end(client, "rollback").then(
      () => undefined,
      (error: Error) => error,
    );
    client.release(broken);
  }
}

/**
 * Prevents an unhandled rejection. The error is not lost, because it also rejects the statement that was sent with
 * `begin`, or the call to `commit`.
 */
function handled(sent: Promise<unknown>): Promise<unknown> {
  sent.catch(() => {});
  return sent;
}

/**
 * Calls `send` and combines everything it sends into one write, because each write is a system call that can cause a
 * context switch.
 */
function together<Result>(client: pg.PoolClient, send: () => Result): Result {
  const stream = streamOf(client);
  stream.cork();
  try {
    return send();
  } finally {
    stream.uncork();
  }
}

const streamOf = (client: pg.PoolClient): Writable =>
  (client as pg.PoolClient & { connection: { stream: Writable } }).connection.stream;
