import type pg from "pg";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import { StartFailure } from "../kernel/start-failure.ts";
import type { Database, Sql, Statement } from "./db.ts";

/**
 * A dedicated connection for LISTEN and session-level locks.
 *
 * Behind a transaction-mode pooler, it is a single long transaction, because such a pooler assigns a server session to
 * a client only for the length of a transaction. The locks then belong to that transaction, other statements run on the
 * pool, and no notifications are received.
 */
export interface Session extends Sql {
  /**
   * Runs a locking statement and appends one value: whether the lock belongs to the transaction instead of the session.
   */
  lock<Row>(statement: Statement, values: readonly unknown[]): Promise<Row[]>;
  /** @param channel a lowercase constant, never user input */
  listen(channel: string): Promise<void>;
  /** Rejects if the connection is dead. */
  probe(): Promise<void>;
  close(): Promise<void>;
}

const PROBE: Statement = { name: "session_probe", text: "select 1" };

/** @param listeners `onLost` is called once, if the connection ends without a call to `close` */
export async function openSession(
  db: Database,
  clock: Clock,
  listeners: { onNotice(channel: string, payload: string): void; onLost(): void },
): Promise<Session> {
  const held = db.sharesSessions;
  const client = await (held ? connectAndHold(db, clock) : db.connect());
  let open = true;
  let cancel = () => {};
  const end = () => {
    open = false;
    cancel();
  };
  const lost = () => {
    if (open) listeners.onLost();
    end();
  };
  client.on("error", lost);
  client.on("end", lost);
  client.on("notification", ({ channel, payload = "" }) => listeners.onNotice(channel, payload));
  const runHere = async <Row>({ name, text }: Statement, values: readonly unknown[] = []): Promise<Row[]> =>
    (await client.query({ name: held ? undefined : name, text, values: values as unknown[] })).rows;
  const probe = async () => void (await within(clock, LIMITS.DATABASE_CONNECT_MS, runHere(PROBE)));
  /**
   * Probes the connection regularly, because it may die unnoticed, and poolers end transactions that are idle for too
   * long.
   */
  const watch = () => {
    if (open) cancel = clock.after(LIMITS.SESSION_PROBE_MS, () => void probe().then(watch, lost));
  };
  watch();
  return {
    run: held ? (statement, values) => db.run(statement, values) : runHere,
    lock: (statement, values) => runHere(statement, [...values, held]),
    async listen(channel) {
      if (!held) await client.query(`listen ${channel}`); // inside a transaction, LISTEN takes effect only on commit
    },
    probe,
    async close() {
      end();
      await within(clock, LIMITS.DATABASE_CONNECT_MS, client.end()).catch(() => {}); // the connection is already dead
    },
  };
}

/**
 * Overrides the server's timeouts, so that the transaction may stay idle. The transaction keeps no snapshot, writes
 * nothing and reads no table, so it holds back neither vacuum nor schema changes. PostgreSQL 17 and newer also have a
 * timeout for a whole transaction.
 */
const HOLD = `begin isolation level read committed read only;
  select set_config('idle_in_transaction_session_timeout', '0', true),
    case when current_setting('transaction_timeout', true) is not null then set_config('transaction_timeout', '0', true) end`;

async function connectAndHold(db: Database, clock: Clock): Promise<pg.Client> {
  const client = await db.connect();
  const hold = async () => {
    await client.query(HOLD);
    await db.run(PROBE);
  };
  try {
    await within(clock, LIMITS.DATABASE_CONNECT_MS, hold(), () => new StartFailure(NO_SESSION_LEFT));
  } catch (error) {
    void client.end(); // closes the connection once the pending statement has finished
    throw error;
  }
  return client;
}

// If nodes held all of the pooler's sessions, they would wait for each other forever.
const NO_SESSION_LEFT =
  "The connection pooler at DATABASE_URL has no session left for statements, because each Mave node keeps one open. " +
  "Raise the pooler's default_pool_size, or set MAVE_DATABASE_DIRECT_URL to the database's own address.";

const noResponse = (): Error => new Error("The database is not responding.");

/** Rejects if `work` takes longer than `patience_ms`. @param late creates the error */
function within<Result>(clock: Clock, patience_ms: number, work: Promise<Result>, late = noResponse): Promise<Result> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(patience_ms, () => reject(late()));
    work.then(resolve, reject).finally(cancel);
  });
}
