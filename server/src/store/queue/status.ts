/**
 * The status of a pending delivery. It is not stored but follows from the row `o` and its webhook `w`: `sending` while a
 * lease runs, else `held` while the webhook is paused, disabled or deleted, else `retrying` after a first attempt, and
 * `waiting` before it or while an earlier event of the video is pending.
 */
export const PENDING_STATUS = `case when o.leased_until > now() then 'sending' when w.status is distinct from 'enabled' then 'held'
  when o.due_at = 'infinity' or o.attempt = 0 then 'waiting' else 'retrying' end`;

export type PendingStatus = "waiting" | "sending" | "retrying" | "held";

/** The rows `o` of the space $1, in the form of the index pending_deliveries_by_id; its migration explains the form. */
export const OF_SPACE = "uuid_send(o.space_id) = uuid_send($1::uuid)";
