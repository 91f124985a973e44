import { LIMITS } from "../kernel/limits.ts";
import type { Sql } from "../store/db.ts";
import { followOpen, type PendingDelivery, unblock } from "../store/events.ts";

/**
 * Each blocked delivery leaves a mark on the one that it waits for, so that whoever settles that one lets it go; where
 * that one has just ended, it is due itself. Changes `blocked` of those. Belongs into the transaction that opened them.
 */
export async function follow(tx: Sql, deliveries: readonly PendingDelivery[]): Promise<void> {
  let blocked = deliveries.filter((delivery) => delivery.blocked);
  for (let round = 0; blocked.length > 0; round++) {
    if (round === LIMITS.PREDECESSOR_TRIES_MAX) return; // the sweeper releases what is left
    const missed = await followOpen(tx, blocked);
    for (const delivery of await unblock(tx, missed)) delivery.blocked = false;
    blocked = missed.filter((delivery) => delivery.blocked);
  }
}
