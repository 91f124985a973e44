import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import type { Database } from "../store/db.ts";
import { claimNodeNumber, endNodeSession, lockNodeNumber, type NodeNumber } from "../store/nodes.ts";
import { openSession, type Session } from "../store/session.ts";

/** A node's identity: a number held by an advisory lock, and a LISTEN connection for the notices of other nodes. */
export interface NodeSession {
  /** null while the connection is lost: other nodes may then expire this node's leases. */
  number(): number | null;
  /** Locks a number and listens. Reconnects when the connection breaks. */
  start(): Promise<void>;
  close(): Promise<void>;
}

interface NodeSessionParts {
  db: Database;
  clock: Clock;
  log: Log;
  /** A notice from another process, about these webhooks; if empty, about any. */
  onNotice(channel: Channel, webhooks: string[]): void;
  /** The number was lost: nothing that was leased with it may be sent any more. */
  onLost(): void;
}

export const CHANNELS = ["mave_due", "mave_webhook"] as const;
export type Channel = (typeof CHANNELS)[number];

/** How many nodes there can be. */
const NUMBERS_MAX = 1_000;
/** Nodes that start at the same time try for the same numbers. */
const TRIES_MAX = 100;

export function createNodeSession(parts: NodeSessionParts): NodeSession {
  const { db, clock, log } = parts;
  let session: Session | null = null;
  let last: NodeNumber | null = null;
  /** The lost session. The server may not have noticed yet, so it may still hold the number. */
  let stale: Session | null = null;
  let closed = false;

  async function open(): Promise<void> {
    const made: Session = await openSession(db, clock, {
      onNotice: (channel, ids) => parts.onNotice(channel as Channel, ids === "" ? [] : ids.split(",")),
      onLost: () => lost(made),
    });
    try {
      const locked = await lockNumber(made, last); // first: without it, others soon presume this node dead
      for (const channel of CHANNELS) await made.listen(channel);
      await made.probe(); // statements over the pool do not show that the connection with the lock is alive
      [session, last] = [made, locked];
      closeStale();
    } catch (error) {
      await made.close();
      throw error;
    }
    if (closed) await made.close();
  }

  function lost(made: Session): void {
    if (session !== made) return;
    session = null;
    stale = made;
    log.warn({ node: last?.number }, "Lost the node's own database connection; sending stops until it reconnects");
    parts.onLost();
    reopen();
  }

  function closeStale(): void {
    void stale?.close();
    stale = null;
  }

  function reopen(): void {
    if (closed) return;
    void open().catch(() => clock.after(LIMITS.SESSION_RETRY_MS, reopen));
  }

  return {
    number: () => (session === null ? null : last!.number),
    start: open,
    async close() {
      closed = true;
      closeStale();
      const left = session;
      session = null; // its end is not reported as a loss
      await left?.close();
    },
  };
}

/**
 * Locks the number that this node had, if that is free or held by its own lost connection: under another number, the
 * leases of its attempts in flight would soon expire as a dead node's. Otherwise claims a new one.
 */
async function lockNumber(session: Session, last: NodeNumber | null): Promise<NodeNumber> {
  if (last !== null) await endNodeSession(session, last);
  let locked = last && (await lockNodeNumber(session, last.number));
  for (let tries = 0; locked === null && tries < TRIES_MAX; tries++)
    locked = await claimNodeNumber(session, NUMBERS_MAX);
  if (locked === null) throw new Error(`None of the ${NUMBERS_MAX} node numbers is free.`);
  return locked;
}
