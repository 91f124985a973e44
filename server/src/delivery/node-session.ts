import { LIMITS } from "../kernel/limits.ts";
import type { LoopParts } from "../kernel/loop.ts";
import type { Database } from "../store/db.ts";
import { claimNodeNumber, endNodeSession, lockNodeNumber, type NodeNumber } from "../store/nodes.ts";
import { openSession, type Session } from "../store/session.ts";

/** A node's identity: a number held by an advisory lock, and a LISTEN connection for notifications from other nodes. */
export interface NodeSession {
  /** This node's number, or null while the connection is lost. Other nodes may then expire this node's leases. */
  number(): number | null;
  /**
   * Acquires a number and starts listening for notifications. From then on, reconnects whenever the connection breaks.
   */
  start(): Promise<void>;
  close(): Promise<void>;
}

interface NodeSessionParts extends LoopParts {
  db: Database;
  /** Called for each notice from another process. An empty list means that the notice may concern any webhook. */
  onNotice(channel: Channel, webhooks: string[]): void;
  /** Called when the number is lost. From then on, nothing leased under that number may be sent. */
  onLost(): void;
}

export const CHANNELS = ["mave_due", "mave_webhook"] as const;
export type Channel = (typeof CHANNELS)[number];

export function createNodeSession(parts: NodeSessionParts): NodeSession {
  const { db, clock, log, watchdog } = parts;
  let session: Session | null = null;
  let last: NodeNumber | null = null;
  /** The lost session. The database server may still consider it alive, in which case it still holds the number. */
  let stale: Session | null = null;
  let closed = false;

  async function open(): Promise<void> {
    const made: Session = await openSession(db, clock, {
      onNotice: (channel, ids) => parts.onNotice(channel as Channel, ids === "" ? [] : ids.split(",")),
      onLost: () => lost(made),
    });
    try {
      const locked = await lockNumber(made, last); // first, because a node without its lock is soon presumed dead
      for (const channel of CHANNELS) await made.listen(channel);
      await made.probe(); // statements on the pool do not show whether the connection with the lock is alive
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
    void watchdog
      .during("node number", LIMITS.LOOP_ROUND_MS, open())
      .catch(() => clock.after(LIMITS.SESSION_RETRY_MS, reopen));
  }

  return {
    number: () => (session === null ? null : last!.number),
    start: open,
    async close() {
      closed = true;
      closeStale();
      const left = session;
      session = null; // so that closing it is not reported as a loss
      await left?.close();
    },
  };
}

/**
 * Locks this node's previous number if it is free or still held by this node's lost connection. Otherwise, claims a new
 * number. In that case, the leases on the node's attempts in flight soon expire, as if the node had died.
 */
async function lockNumber(session: Session, last: NodeNumber | null): Promise<NodeNumber> {
  if (last !== null) await endNodeSession(session, last);
  let locked = last && (await lockNodeNumber(session, last.number));
  for (let tries = 0; locked === null && tries < LIMITS.NODE_NUMBER_TRIES_MAX; tries++)
    locked = await claimNodeNumber(session, LIMITS.NODES_MAX);
  if (locked === null) throw new Error(`None of the ${LIMITS.NODES_MAX} node numbers is free.`);
  return locked;
}
