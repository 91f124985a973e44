/** Identifies one pending delivery. `video_id` is the event's own id where the event has no video. */
export interface DeliveryKey {
  space_id: string;
  webhook_id: string;
  video_id: string;
  sequence: number;
}

/** A delivery leased for one attempt. Every lease raises `attempt`, so it also serves as the fencing token. */
export interface LeaseKey extends DeliveryKey {
  attempt: number;
}

/** A webhook's deliveries of one video, which are sent in order. */
export type VideoKey = Pick<DeliveryKey, "space_id" | "webhook_id" | "video_id">;

/** The key as one string, for sets and maps. */
export const keyOf = ({ webhook_id, video_id, sequence }: DeliveryKey): string =>
  `${webhook_id} ${video_id} ${sequence}`;

/** The order in which every statement locks several rows of the queue, so that no two of them deadlock. */
export const byLockOrder = (a: DeliveryKey, b: DeliveryKey): number => byVideo(a, b) || a.sequence - b.sequence;
export const byVideo = (a: VideoKey, b: VideoKey): number =>
  compare(a.webhook_id, b.webhook_id) || compare(a.video_id, b.video_id);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Whether the row `r` of the queue is still leased for the attempt `s`: the guard of everything that a lease allows, which
 * is to settle the attempt and to return the lease. An expired lease still counts until another claim raises `attempt`.
 *
 * These change rows without holding their lease:
 * - `claim` and `release` take rows without a running lease. They raise `attempt`, which fences off an earlier holder.
 * - `cancel` deletes rows without a running lease; the deletion of a webhook also those being sent, whose settle then
 *   finds nothing.
 * - `reopen` inserts rows, and makes one due first that it has locked and found not leased.
 * - `leases` expires the leases of a node presumed dead, and shortens those that a step back of the clock made too long.
 *   Both leave `attempt`, so the holder can still settle.
 */
export const HOLDS_LEASE = `r.space_id = s.space_id and r.webhook_id = s.webhook_id and r.video_id = s.video_id
          and r.sequence = s.sequence and r.attempt = s.attempt and r.leased_until > '-infinity'`;
