import type pg from "pg";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import { StartFailure } from "../kernel/start-failure.ts";
import type { Database, Sql, Statement } from "./db.ts";

/**
 * One connection of its own: for LISTEN, and for locks that last as long as it does.
 *
 * Behind a pooler that shares sessions it is one transaction from its beginning to its end: only that keeps a session of
 * the server. Its locks are the transaction's then, what it runs is committed over the pool, and it hears no notices.
 */
export interface Session extends Sql {
  /** Runs a statement that takes a lock, with one more value: whether to take it for the transaction. */
  lock<Row>(statement: Statement, values: readonly unknown[]): Promise<Row[]>;
  /** @param channel a lower-case word of this code, never input */
  listen(channel: string): Promise<void>;
  /** Rejects where the connection is dead. */
  probe(): Promise<void>;
  close(): Promise<void>;
}

const PROBE: Statement = { name: "session_probe", text: "select 1" };
const PROBE_MS = 5_000; // as long as a statement of the pool waits for a connection

/** @param listeners `onLost` is told once, when the connection ends without `close` */
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
  const probe = async () => void (await within(clock, PROBE_MS, runHere(PROBE)));
  /** A connection may die without a word; and poolers end transactions that are silent for long. */
  const watch = () => {
    if (open) cancel = clock.after(LIMITS.SESSION_PROBE_MS, () => void probe().then(watch, lost));
  };
  watch();
  return {
    run: held ? (statement, values) => db.run(statement, values) : runHere,
    lock: (statement, values) => runHere(statement, [...values, held]),
    async listen(channel) {
      if (!held) await client.query(`listen ${channel}`); // in a transaction it would begin at the end of that
    },
    probe,
    async close() {
      end();
      await within(clock, PROBE_MS, client.end()).catch(() => {}); // it was dead already: there is nothing left to end
    },
  };
}

/**
 * Whatever the server's settings say, the transaction may idle and keeps no snapshot; and it writes nothing and reads no
 * table: so it holds back neither vacuum nor a change of the schema. PostgreSQL 17 has a bound for the whole of it, too.
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
    await within(clock, PROBE_MS, hold(), () => new StartFailure(NO_SESSION_LEFT));
  } catch (error) {
    void client.end(); // once it has its response
    throw error;
  }
  return client;
}

// Nodes that keep all of them would wait for each other.
const NO_SESSION_LEFT =
  "The connection pooler of DATABASE_URL has no session left for work beside those that Mave's nodes keep, one each. " +
  "Raise its default_pool_size, or give the nodes the database's own address as MAVE_DATABASE_DIRECT_URL.";

const noResponse = (): Error => new Error("the database does not answer");

/** @param late what it rejects with where `work` takes longer */
function within<Result>(clock: Clock, patience_ms: number, work: Promise<Result>, late = noResponse): Promise<Result> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(patience_ms, () => reject(late()));
    work.then(resolve, reject).finally(cancel);
  });
}
