/** Identifies one pending delivery. If the event has no video, `video_id` is the event's own id. */
export interface DeliveryKey {
  space_id: string;
  webhook_id: string;
  video_id: string;
  sequence: number;
}

/**
 * A delivery leased for one attempt. Every lease increments `attempt`, so that number also serves as the fencing token.
 */
export interface LeaseKey extends DeliveryKey {
  attempt: number;
}

/** Identifies one webhook's deliveries for one video, which are sent in order. */
export type VideoKey = Pick<DeliveryKey, "space_id" | "webhook_id" | "video_id">;

/** Returns the key as a single string, for use in sets and maps. */
export const keyOf = ({ webhook_id, video_id, sequence }: DeliveryKey): string =>
  `${webhook_id} ${video_id} ${sequence}`;

/**
 * The order in which queue rows are locked when deliveries are recorded, settled or released and when leases are
 * returned. Using one order everywhere prevents deadlocks.
 */
export const byLockOrder = (a: DeliveryKey, b: DeliveryKey): number => byVideo(a, b) || a.sequence - b.sequence;
export const byVideo = (a: VideoKey, b: VideoKey): number =>
  compare(a.webhook_id, b.webhook_id) || compare(a.video_id, b.video_id);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Whether queue row `r` is still leased for attempt `s`. This guards the two operations that a lease allows: settling
 * the attempt and returning the lease. An expired lease still counts as held until another claim increments `attempt`.
 *
 * These modules change rows without holding their leases:
 * - `claim` and `release` take rows that have no active lease. Leasing a row increments `attempt`, which fences off an
 *   earlier holder.
 * - `cancel` deletes rows that have no active lease. Deleting a webhook also deletes the rows of deliveries that are
 *   being sent; their settles then find nothing.
 * - `reopen` inserts rows, and corrects the attempt count of rows that its own transaction has just inserted, which no
 *   other transaction sees yet. It moves a row to the front of the queue only if the row is not leased.
 * - `retry-early` changes when an unleased retry is due.
 * - `leases` expires the leases of a node presumed dead, and shortens leases that became too long when the clock was
 *   set back. Both leave `attempt` unchanged, so the holder can still settle.
 */
export const HOLDS_LEASE = `r.space_id = s.space_id and r.webhook_id = s.webhook_id and r.video_id = s.video_id
          and r.sequence = s.sequence and r.attempt = s.attempt and r.leased_until > '-infinity'`;
