import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import type { Database } from "../store/db.ts";
import { openSession, type Session } from "../store/session.ts";
import { markLease, unmarkLease } from "../store/uploads.ts";

/**
 * Shows other processors, and the next start of this one, that this process lives: a lock on a connection of its own.
 * A kill frees it at once, so nobody has to wait for the end of the lease; a process that froze keeps it until then.
 * Where the connection breaks, another processor may do the work again; the lease's token lets only one publish.
 */
export interface LifeSign {
  /** To be called before the claim with this token. */
  show(token: string): Promise<void>;
  end(token: string): Promise<void>;
  close(): Promise<void>;
}

export function createLifeSign({ db, clock, log }: { db: Database; clock: Clock; log: Log }): LifeSign {
  let session: Session | null = null;

  async function open(): Promise<Session> {
    const onLost = () => {
      session = null;
      log.warn("The processor's own connection to the database broke; the next upload opens another.");
    };
    session ??= await openSession(db, clock, { onNotice: () => {}, onLost });
    return session;
  }

  return {
    show: async (token) => markLease(await open(), token),
    async end(token) {
      // Without a session there is no lock any more.
      if (session !== null)
        await unmarkLease(session, token).catch((err: unknown) => log.debug({ err }, "not unmarked"));
    },
    async close() {
      await session?.close();
      session = null;
    },
  };
}
