import type pg from "pg";
import { systemClock } from "../kernel/clock.ts";
import { type Address, connectTo } from "./db.ts";

/** Transactions kept open at once while it is looked who gets which session. */
const LOOKS = 3;
/** Whoever has a session of its own does not wait for it: far longer than a statement that reads nothing takes. */
const WAITS_MS = 2_000;

/**
 * Whether a pooler stands between that gives one session of the server to several clients in turn. A session's advisory
 * lock, LISTEN and prepared statements would then be anybody's: two nodes in one session both get the same lock.
 *
 * A session's process id as the connection was told it, and as the server says it, differ behind every pooler. One that
 * keeps a session for each client is harmless; one that does not gives the first client's session to a transaction of
 * another, or the first one another session, or lets it wait for one.
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
    for (const client of [first, ...others]) void client.end(); // one that still waits ends with its response
  }
}

/** Whether both lead to one database: a lock that is taken by one way is not to be had by the other. */
export async function leadToOneDatabase(one: Address, other: Address): Promise<boolean> {
  const clients = await Promise.all([connectTo(one), connectTo(other)]);
  const [holder, asker] = clients;
  try {
    await holder.query("begin");
    const key = await processOf(holder); // a number that nobody else takes now
    const take = async (client: pg.Client) => (await client.query(TAKE, [LOOK_LOCK, key])).rows[0].mine as boolean;
    return (await take(holder)) && !(await take(asker));
  } finally {
    for (const client of clients) void client.end();
  }
}

const LOOK_LOCK = 7_021_820;
const TAKE = "select pg_try_advisory_xact_lock($1, $2) as mine";

// Without a name: whether statements can be prepared is just what is not known yet.
async function processOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  return rows[0]!.pid;
}

/** As `processOf`; null where that waits: nodes that start together before a small pool would wait for each other. */
function processSoon(client: pg.Client): Promise<number | null> {
  return new Promise((resolve, reject) => {
    systemClock.after(WAITS_MS, () => resolve(null));
    processOf(client).then(resolve, reject);
  });
}
