import type pg from "pg";
import { systemClock } from "../kernel/clock.ts";
import { type Address, connectTo } from "./db.ts";

/** How many transactions are open at once while their sessions are compared. */
const LOOKS = 3;
/** A client with its own session does not wait for it: far longer than a statement that reads nothing. */
const WAITS_MS = 2_000;

/**
 * Whether the connection leads through a pooler that shares one server session between clients. They would share its
 * advisory locks, LISTEN and prepared statements: two nodes in one session both get the same lock.
 *
 * Behind any pooler, the process id that the connection was given differs from the one that the server reports. A pooler
 * that keeps a session per client is harmless. One that does not gives the first client's session to another client's
 * transaction, gives the first client another session, or makes it wait for one.
 */
export async function sharesSessions(connection: Address): Promise<boolean> {
  const first = await connectTo(connection);
  const others: pg.Client[] = [];
  try {
    const session = await processOf(first);
    if (session === (first as pg.Client & { processID: number }).processID) return false;
    for (let look = 0; look < LOOKS; look++) {
      const other = await connectTo(connection);
      others.push(other);
      await other.query("begin");
      if ((await processOf(other)) === session || (await processSoon(first)) !== session) return true;
    }
    return false;
  } finally {
    for (const client of [first, ...others]) void client.end(); // a waiting client ends with its response
  }
}

/** Whether both lead to the same database: a lock held over one connection is not available over the other. */
export async function leadToOneDatabase(one: Address, other: Address): Promise<boolean> {
  const clients = await Promise.all([connectTo(one), connectTo(other)]);
  const [holder, asker] = clients;
  try {
    await holder.query("begin");
    const key = await processOf(holder); // a number that no other process uses now
    const take = async (client: pg.Client) => (await client.query(TAKE, [LOOK_LOCK, key])).rows[0].mine as boolean;
    return (await take(holder)) && !(await take(asker));
  } finally {
    for (const client of clients) void client.end();
  }
}

const LOOK_LOCK = 7_021_820;
const TAKE = "select pg_try_advisory_xact_lock($1, $2) as mine";

// Without a name: it is not known yet whether statements can be prepared.
async function processOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  return rows[0]!.pid;
}

/** As `processOf`, but null if it waits: nodes that start at the same time behind a small pool would deadlock. */
function processSoon(client: pg.Client): Promise<number | null> {
  return new Promise((resolve, reject) => {
    systemClock.after(WAITS_MS, () => resolve(null));
    processOf(client).then(resolve, reject);
  });
}
