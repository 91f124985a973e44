import { UUID_MIN } from "../../kernel/uuid.ts";
import type { Sql, Statement } from "../db.ts";
import { LEASED, type LeasedDelivery, WITH_EVENT } from "./claim.ts";
import { byVideo, type DeliveryKey, keyOf, type VideoKey } from "./key.ts";
import type { Lease } from "./leases.ts";

/**
 * Releases deliveries that wait for an earlier event of their video (`due_at = infinity`) once that event's delivery
 * ends.
 *
 * No row stays blocked, because the last transaction that deletes an earlier row is followed by a release that sees
 * both the deletions and the blocked row:
 * - record × settle, record × cancel: record locks the row that its new row waits for (`for key share`) until it
 *   commits, and deletions lock `for update`. If record comes first, the deletion commits after it, and the release
 *   that follows starts even later and finds the new row. If the deletion comes first, record waits, no longer finds
 *   the earlier row, and makes the new one due immediately. If the deletion rolls back, the earlier row remains, and
 *   the new row correctly waits for it. A cancellation skips locked rows and finds them on its next walk.
 * - settle × settle, settle × cancel, for the same video: the transaction that commits last is followed by a release
 *   whose snapshot shows no earlier row. A release that runs in between finds an earlier row and does nothing.
 * - record × retry, claim, lease expiry: these update the earlier row without changing its key, which record's lock
 *   allows. The new version of the row stays locked.
 * - release × release: the second release waits for the row lock and then finds the row already due. If it goes on to
 *   the next row, it leaves that row blocked, because its snapshot contains an earlier one.
 * - release × cancel of the blocked row itself: the cancellation's own release continues with the next row.
 * - reopen inserts a blocked row without locking the earlier one, and is followed by its own release, as if it had
 *   deleted a row.
 * - A row can be stranded if the process is killed between the commit and the release, if the release fails, if a
 *   replay is canceled, or if an orphaned row is deleted. The sweeper's `releaseStranded` finds it within a second.
 *
 * The release never runs in the deleting transaction. That would lock rows in two rounds, and two such transactions
 * could deadlock.
 */
// pending_deliveries_waiting contains only blocked rows, so if nothing is blocked, the lookup is one probe of a small
// index. The update matches on ctid only. With an indexable predicate, the planner may choose that index when its
// statistics say the queue is empty.
const release: Statement = {
  name: "queue_release",
  text: `with head as materialized (
      select o.place, $2::integer is not null and f.webhook_id <> all($4::uuid[]) and exists (select from webhooks w
          where w.space_id = f.space_id and w.id = f.webhook_id and w.status = 'enabled') as lease
      from json_to_recordset($1::json) as f(space_id uuid, webhook_id uuid, video_id text)
      cross join lateral (
        select h.ctid as place, h.sequence from pending_deliveries h
        where h.space_id = f.space_id and h.webhook_id = f.webhook_id and h.video_id = f.video_id and h.due_at = 'infinity'
        order by h.sequence limit 1 for no key update) o
      where not exists (
        select from pending_deliveries lower where lower.space_id = f.space_id and lower.webhook_id = f.webhook_id
          and lower.video_id = f.video_id and lower.sequence < o.sequence offset 0)
    ), released as (
      update pending_deliveries o set due_at = statement_timestamp(),
        attempt = o.attempt + case when head.lease then 1 else 0 end,
        leased_by = case when head.lease then $2::integer end,
        leased_until = case when head.lease then statement_timestamp() + $3::float8 * interval '1 ms' else '-infinity' end
      from head where o.ctid = head.place
      returning ${LEASED}, head.lease
    )
    select ${LEASED}, o.lease, e.payload, e.traceparent
    from released o ${WITH_EVENT}`,
};

export interface Released {
  leased: LeasedDelivery[];
  /** Webhooks with deliveries that were released without a lease. A claim will lease these deliveries. */
  due: string[];
}

/**
 * Releases the next delivery of each of these videos if it is blocked and no earlier delivery is pending. Call this
 * after the commit that deleted or reopened deliveries of these videos.
 * @param lease if given, released deliveries are leased to that node, except those of the `closed` webhooks
 */
export async function releaseNext(
  sql: Sql,
  videos: readonly VideoKey[],
  lease: Lease | null,
  closed: readonly string[] = [],
): Promise<Released> {
  if (videos.length === 0) return { leased: [], due: [] };
  // Each video is included only once. For a duplicate, the statement would find the row that it had already updated and
  // skip it.
  const once = new Map(
    videos.map(({ space_id, webhook_id, video_id }) => [
      keyOf({ space_id, webhook_id, video_id, sequence: 0 }),
      { space_id, webhook_id, video_id },
    ]),
  );
  const sorted = [...once.values()].sort(byVideo);
  const values = [JSON.stringify(sorted), lease?.node ?? null, lease?.lease_ms ?? 0, closed];
  const rows = await sql.run<LeasedDelivery & { lease: boolean }>(release, values);
  return {
    leased: rows.filter((row) => row.lease).map((row) => ({ ...row, leased_ms: lease!.leased_ms })),
    due: [...new Set(rows.filter((row) => !row.lease).map((row) => row.webhook_id))],
  };
}

// Uses pending_deliveries_waiting; a stranded row is the lowest pending row of its video. A locked row is skipped,
// because another transaction is already releasing or deleting it. Waiting for it could deadlock, because this walk
// uses a different lock order. A row that was released in the meantime has a new ctid, so it does not match. With
// `offset 0`, earlier rows are looked up one by one instead of being joined with a full scan.
const stranded: Statement = {
  name: "queue_release_stranded",
  text: `with waiting as materialized (
      select ctid as place, space_id, webhook_id, video_id, sequence from pending_deliveries
      where due_at = 'infinity' and (space_id, webhook_id, video_id, sequence) > ($1, $2, $3, $4)
      order by space_id, webhook_id, video_id, sequence limit $5
    ), free as materialized (
      select o.ctid as place from waiting w join pending_deliveries o on o.ctid = w.place
      where not exists (
        select from pending_deliveries lower where lower.space_id = w.space_id and lower.webhook_id = w.webhook_id
          and lower.video_id = w.video_id and lower.sequence < w.sequence offset 0)
      for no key update of o skip locked
    ), released as (
      update pending_deliveries o set due_at = statement_timestamp() from free where o.ctid = free.place
      returning o.webhook_id
    )
    select w.space_id, w.webhook_id, w.video_id, w.sequence, (select count(*)::int from released) as released
    from waiting w order by 1 desc, 2 desc, 3 desc, 4 desc limit 1`,
};

const FIRST: DeliveryKey = { space_id: UUID_MIN, webhook_id: UUID_MIN, video_id: "", sequence: -1 };

/**
 * Checks the next `limit` blocked deliveries after `from`, and releases those that have no earlier delivery pending.
 * Deliveries are left in this state if a process is killed before it can release them.
 * @returns how many were released, and where to continue; `next` is null at the end
 */
export async function releaseStranded(
  sql: Sql,
  from: DeliveryKey | null,
  limit: number,
): Promise<{ released: number; next: DeliveryKey | null }> {
  const { space_id, webhook_id, video_id, sequence } = from ?? FIRST;
  const values = [space_id, webhook_id, video_id, sequence, limit];
  const [last] = await sql.run<DeliveryKey & { released: number }>(stranded, values);
  return last === undefined ? { released: 0, next: null } : { released: last.released, next: last };
}
