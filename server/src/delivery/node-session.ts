import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import type { Database } from "../store/db.ts";
import { endNodeSession, type NodeNumber, takeNewNodeNumber, takeNodeNumber } from "../store/nodes.ts";
import { openSession, type Session } from "../store/session.ts";

/** What a node is to the others: a number that it holds while it lives, and an ear for their notices. */
export interface NodeSession {
  /** null while the connection is lost: other nodes may then end this node's leases. */
  number(): number | null;
  /** Takes a number and listens. Goes on trying when the connection breaks. */
  start(): Promise<void>;
  close(): Promise<void>;
}

interface NodeSessionParts {
  db: Database;
  clock: Clock;
  log: Log;
  /** A notice from another process. `webhooks` is what it is about; empty: it did not say. */
  onNotice(channel: Channel, webhooks: string[]): void;
  /** The number was lost: nothing that was leased with it may be sent any more. */
  onLost(): void;
}

export const CHANNELS = ["mave_due", "mave_webhook"] as const;
export type Channel = (typeof CHANNELS)[number];

/** Nodes at most. */
const NUMBERS_MAX = 1_000;
/** Of a node that starts beside others, all of which try for the same numbers. */
const TRIES_MAX = 100;

export function createNodeSession(parts: NodeSessionParts): NodeSession {
  const { db, clock, log } = parts;
  let session: Session | null = null;
  let last: NodeNumber | null = null;
  /** Lost, but perhaps for us only: it may hold the number until another session takes that over. */
  let stale: Session | null = null;
  let closed = false;

  async function open(): Promise<void> {
    const made: Session = await openSession(db, clock, {
      onNotice: (channel, ids) => parts.onNotice(channel as Channel, ids === "" ? [] : ids.split(",")),
      onLost: () => lost(made),
    });
    try {
      const taken = await takeNumber(made, last); // first: without it, others soon take this node for dead
      for (const channel of CHANNELS) await made.listen(channel);
      await made.probe(); // what was run over the pool says nothing of the connection that holds the number
      [session, last] = [made, taken];
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
    log.warn(
      { node: last?.number },
      "the node's own connection to the database is lost; sending stops until it is back",
    );
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
      session = null; // so that its end is no loss
      await left?.close();
    },
  };
}

/**
 * The number it had, where that is still free or held by its own lost connection: under another one, what it is sending
 * would soon be taken for a dead node's. Else a new one.
 */
async function takeNumber(session: Session, last: NodeNumber | null): Promise<NodeNumber> {
  if (last !== null) await endNodeSession(session, last);
  let taken = last && (await takeNodeNumber(session, last.number));
  for (let tries = 0; taken === null && tries < TRIES_MAX; tries++)
    taken = await takeNewNodeNumber(session, NUMBERS_MAX);
  if (taken === null) throw new Error(`of the ${NUMBERS_MAX} node numbers none is free`);
  return taken;
}
