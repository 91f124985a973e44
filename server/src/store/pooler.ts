import type pg from "pg";
import type { Database } from "./db.ts";

/** Transactions kept open at once while it is looked who gets which session. */
const LOOKS = 3;

/**
 * Whether a pooler stands between that gives one session of the server to several clients in turn. A node's advisory
 * lock, LISTEN and prepared statements would then be anybody's: two nodes in one session both get the same lock.
 *
 * A session's process id as the connection was told it, and as the server says it, differ behind every pooler. One that
 * keeps a session for each client is harmless; one that does not gives the first client's session to a transaction of
 * another, or the first one another session.
 */
export async function sharesSessions(db: Database): Promise<boolean> {
  const first = await db.connect();
  const others: pg.Client[] = [];
  try {
    const session = await processOf(first);
    if (session === (first as pg.Client & { processID: number }).processID) return false;
    for (let look = 0; look < LOOKS; look++) {
      const other = await db.connect();
      others.push(other);
      await other.query("begin");
      if ((await processOf(other)) === session || (await processOf(first)) !== session) return true;
    }
    return false;
  } finally {
    await Promise.all([first, ...others].map((client) => client.end()));
  }
}

// Without a name: whether statements can be prepared is just what is not known yet.
async function processOf(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  return rows[0]!.pid;
}
