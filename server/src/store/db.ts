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
  /** @returns the rows. Throws pg's error if the statement fails */
  run<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
}

/**
 * Where a change runs: a database opens a new transaction for it, and a transaction lets it join. Functions that make
 * changes take one of these as their first argument, so that the caller decides what else commits with the change.
 */
export interface Transactional extends Sql {
  /** Commits the changes made by `work`, or rolls them all back and rethrows its error. */
  transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result>;
}

/** One transaction. It takes a connection from the pool at its first statement. */
export interface Transaction extends Transactional {
  /**
   * Runs the last statement and sends the commit along with it instead of after its response, which saves a round trip.
   * If the statement fails, the commit rolls back.
   */
  last<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
  /**
   * Runs `effect` after the commit succeeds and before `transaction` resolves, in registration order. Use it for
   * signals and anything else that must not happen on a rollback. An error in an effect is reported but does not affect
   * the result.
   */
  afterCommit(effect: Effect): void;
}

export type Effect = () => unknown;

export interface Database extends Transactional {
  /** A connection outside the pool, for LISTEN and session-level locks. */
  connect(): Promise<pg.Client>;
  /** Whether a pooler gives `connect` a server session for one transaction at a time only; `openSession` handles that. */
  readonly sharesSessions: boolean;
  /** The pool itself, for the sign-in library only, which has its own SQL and schema. */
  readonly pool: pg.Pool;
  close(): Promise<void>;
}

/** A server's address: a connection string, or the folder of its Unix socket with a user and database name. */
export type Address = string | { host: string; user: string; database: string; port?: number };

export interface DatabaseOptions {
  connection: Address;
  /** Whether the address points to a transaction-mode pooler. */
  pooled?: boolean;
  /** The database's own address behind that pooler, for work that needs a dedicated session. */
  direct?: Address | null;
  /** Maximum number of connections. */
  connections: number;
  /** Called when an idle connection breaks. The pool replaces it. */
  onError?: (error: Error) => void;
  /** Called when an effect of a committed transaction fails. By default the error ends the process, as any bug does. */
  onEffectError?: (error: unknown) => void;
}

const INT8 = 20;
const types = new pg.TypeOverrides();
types.setTypeParser(INT8, Number); // counts and sizes, all far below 2^53

// Every statement is written for an index, so the planner must not scan a whole table just because autovacuum saw the
// queue or a day of history while it was empty. JIT compilation takes longer than running any of our statements. A
// process that stalls inside a transaction must not keep its rows locked.
const SETTINGS = `select set_config('enable_seqscan', 'off', false), set_config('jit', 'off', false),
  set_config('idle_in_transaction_session_timeout', '${LIMITS.TRANSACTION_IDLE_MS}', false)`;

export function openDatabase(options: DatabaseOptions): Database {
  const { connection, pooled = false, direct = null, connections, onError = () => {} } = options;
  const { onEffectError = throwLater } = options;
  const waits = { connectionTimeoutMillis: 5_000, idleTimeoutMillis: 30_000 };
  const pool = new pg.Pool({ ...optionsOf(connection), ...waits, max: connections });
  const run = pooled ? runUnprepared : runPrepared;
  pool.on("error", onError);
  // The pool handles errors only on idle connections. Without a listener, a connection that breaks between two
  // statements of a transaction would end the process; with one, the transaction's next statement fails.
  pool.on("connect", (client) => {
    client.on("error", () => {});
    client.query(SETTINGS).catch(() => {}); // if it fails, the next statement fails too
  });
  return {
    run: (statement, values) => run(pool, statement, values),
    transaction: (work) => transaction(new TransactionSession(pool, run), work, onEffectError),
    connect: () => connectTo(direct ?? connection),
    sharesSessions: pooled && direct === null,
    pool,
    close: () => pool.end(),
  };
}

/** One connection, which the caller must end. */
export async function connectTo(connection: Address): Promise<pg.Client> {
  const client = new pg.Client({ ...optionsOf(connection), keepAlive: true });
  client.on("error", () => {}); // without a listener, a broken connection would end the process
  await client.connect();
  return client;
}

/** Pipelined: a statement may be sent before the response to the previous one. */
function optionsOf(connection: Address): pg.ClientConfig {
  const where = typeof connection === "string" ? { connectionString: connection } : connection;
  return { ...where, types, application_name: "mave", pipeline: true };
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

/** A transaction that runs statements in `session`. Its owner runs `effects` after the commit. */
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

/** One transaction's connection. It is taken from the pool for the first statement and sends `begin` along with it. */
class TransactionSession {
  readonly #pool: pg.Pool;
  readonly #runOn: RunOn;
  #connecting: Promise<pg.PoolClient> | undefined;
  #begun: Promise<unknown> | undefined;
  #committed: Promise<unknown> | undefined;
  #isClosed = false;

  constructor(pool: pg.Pool, runOn: RunOn) {
    this.#pool = pool;
    this.#runOn = runOn;
  }

  run: Sql["run"] = (statement, values) => this.#send(statement, values, false);
  last: Sql["run"] = (statement, values) => this.#send(statement, values, true);

  async #send<Row>(statement: Statement, values: readonly unknown[] | undefined, isLast: boolean): Promise<Row[]> {
    if (this.#isClosed) throw new Error(`${statement.name} comes after the transaction's last statement`);
    this.#isClosed = isLast;
    this.#connecting ??= this.#pool.connect();
    const client = await this.#connecting;
    return together(client, () => {
      this.#begun ??= handled(client.query("begin"));
      const rows = this.#runOn<Row>(client, statement, values);
      if (isLast) this.#committed = handled(client.query("commit"));
      return rows;
    });
  }

  async commit(): Promise<void> {
    this.#isClosed = true;
    const client = await this.#connecting;
    if (client === undefined) return;
    await this.#begun;
    await (this.#committed ?? client.query("commit"));
    client.release();
  }

  async rollback(): Promise<void> {
    this.#isClosed = true;
    const client = await this.#connecting?.catch(() => undefined);
    // A connection that cannot roll back is discarded; the server then rolls back its transaction.
    const broken = await client?.query("rollback").then(
      () => undefined,
      (error: Error) => error,
    );
    client?.release(broken);
  }
}

/** Marks a promise as handled: another one, for the statement sent with it or the commit, reports the failure. */
function handled(sent: Promise<unknown>): Promise<unknown> {
  sent.catch(() => {});
  return sent;
}

/** Sends everything that `send` sends in one write: each write is a system call that may yield the core. */
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

/** For a pooler that shares sessions: a prepared statement exists in one session, and the next run may use another. */
const runUnprepared: RunOn = async (target, { text }, values = []) =>
  (await target.query({ text, values: values as unknown[] })).rows;
