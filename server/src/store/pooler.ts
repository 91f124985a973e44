import type pg from "pg";
import { systemClock } from "../kernel/clock.ts";
import { type Address, connectTo } from "./db.ts";

/**
 * Number of concurrent transactions whose sessions are compared with the first client's. With three, a pooler that
 * shares sessions is practically never mistaken for one that does not.
 */
const LOOKS = 3;
/**
 * Far longer than it takes to run a statement that reads nothing. A client with its own session never waits this long.
 */
const WAITS_MS = 2_000;

/**
 * Whether the connection goes through a transaction-mode pooler, which shares a server session between clients. Clients
 * would then share the session's advisory locks, LISTEN registrations and prepared statements, so two nodes on one
 * session could both acquire the same lock.
 *
 * Behind any pooler, the process id received on connecting differs from the one that the server reports. A pooler in
 * session mode is harmless. A pooler in transaction mode is detected in one of three ways: it gives the first client's
 * session to another client's transaction, gives the first client a different session, or makes the first client wait
 * for one.
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
    for (const client of [first, ...others]) void client.end(); // a waiting client ends once it gets its response
  }
}

/**
 * Whether both addresses point to the same database, so that a lock held through one cannot be taken through the other.
 */
export async function leadToOneDatabase(one: Address, other: Address): Promise<boolean> {
  const clients = await Promise.all([connectTo(one), connectTo(other)]);
  const [holder, asker] = clients;
  try {
    await holder.query("begin");
    const key = await processOf(holder); // unique among the server's current processes
    const take = async (client: pg.Client) => (await client.query(TAKE, [LOOK_LOCK, key])).rows[0].mine as boolean;
    return (await take(holder)) && !(await take(asker));
  } finally {
    for (const client of clients) void client.end();
  }
}

const LOOK_LOCK = 7_021_820;
const TAKE = "select pg_try_advisory_xact_lock($1, $2) as mine";

// The statement is unnamed, because it is not yet known whether statements can be prepared.
async function processOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  return rows[0]!.pid;
}

/**
 * Like `processOf`, but gives up after WAITS_MS and returns null. Otherwise, nodes that start together behind a small
 * pool would deadlock.
 */
function processSoon(client: pg.Client): Promise<number | null> {
  return new Promise((resolve, reject) => {
    systemClock.after(WAITS_MS, () => resolve(null));
    processOf(client).then(resolve, reject);
  });
}
