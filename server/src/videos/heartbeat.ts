import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { Database } from "../store/db.ts";
import { openSession } from "../store/session.ts";
import { markLease } from "../store/uploads.ts";

/**
 * Shows other processors, and the next start of this one, that this process lives: a lock on a connection of its own.
 * A kill frees it at once, so nobody has to wait for the end of the lease; a process that froze keeps it until then.
 * Where the connection breaks, another processor may do the work again; the lease's token lets only one publish.
 * To be called before the claim with this token. @returns what ends it
 */
export async function showLife(
  { db, clock, log }: { db: Database; clock: Clock; log: Log },
  token: string,
): Promise<() => Promise<void>> {
  const session = await openSession(db, clock, {
    onNotice() {},
    onLost: () => log.warn("The processor's own connection to the database broke: another one may do its work again."),
  });
  try {
    await markLease(session, token);
  } catch (error) {
    await session.close();
    throw error;
  }
  return session.close;
}
