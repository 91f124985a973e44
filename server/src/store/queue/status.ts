/**
 * The status of a pending delivery. It is not stored, but derived from the row `o` and its webhook `w`: `sending` while
 * a lease is active; otherwise `held` if the webhook is paused, disabled or deleted; otherwise `waiting` before the
 * first attempt or while an earlier event of the video is pending; otherwise `retrying`.
 */
export const PENDING_STATUS = `case when o.leased_until > now() then 'sending' when w.status is distinct from 'enabled' then 'held'
  when o.due_at = 'infinity' or o.attempt = 0 then 'waiting' else 'retrying' end`;

export type PendingStatus = "waiting" | "sending" | "retrying" | "held";

/**
 * Restricts the rows `o` to space $1, using the expression that pending_deliveries_by_id indexes. The migration that
 * creates the index explains why.
 */
export const OF_SPACE = "uuid_send(o.space_id) = uuid_send($1::uuid)";
