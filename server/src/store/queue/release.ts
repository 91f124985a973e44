import { UUID_MIN } from "../../kernel/uuid.ts";
import type { Sql, Statement } from "../db.ts";
import { LEASED, type LeasedDelivery, WITH_EVENT } from "./claim.ts";
import { byVideo, type DeliveryKey, keyOf, type VideoKey } from "./key.ts";
import type { Lease } from "./leases.ts";

/**
 * Releases deliveries that wait for an earlier event of their video (`due_at = infinity`) once that one has ended.
 *
 * No blocked row stays blocked, because the last transaction that deletes an earlier row is followed by a release that
 * sees both the deletions and the blocked row:
 * - record × settle, record × cancel: a record locks the row that its event waits for (`for key share`) until it commits,
 *   and deletions lock `for update`. If the record comes first, the deletion commits after it, and the release that
 *   follows starts later still and finds the new row. If the deletion comes first, the record waits, finds no row any
 *   more, and its event is due at once. A deletion that rolls back leaves a row that the new one rightly waits for.
 *   A cancellation skips locked rows and meets them on its next walk.
 * - settle × settle, settle × cancel, on one video: the transaction that commits last is followed by a release whose
 *   snapshot shows no earlier row. A release in between finds an earlier row and does nothing.
 * - record × retry, claim, lease expiry: those update the earlier row without changing its key, which the record's lock
 *   allows. The row lives on in the new version, locked as well.
 * - release × release: the second one waits for the row's lock and then finds it due. It may look at the row after it
 *   next, and leaves that alone: an earlier row existed in its snapshot.
 * - release × cancel of the blocked row itself: the cancellation's own release continues with the row after it.
 * - reopen inserts a blocked row without a lock and is followed by a release of its own, as if it had deleted a row.
 * - A kill between the commit and its release, a failed release, the cancellation of a replay and the deletion of a row
 *   that a record of another webhook's deletion left behind: the sweeper's `releaseStranded` finds the row within a second.
 *
 * The release is never part of the deleting transaction: that would lock rows in two rounds, and two such transactions
 * could deadlock.
 */
// pending_deliveries_waiting holds blocked rows only, so where nothing waits the look-up is one probe of a small index.
// The update matches by ctid alone: with an indexable predicate the planner may choose that index when its statistics
// say that the queue is empty.
const release: Statement = {
  name: "queue_release",
  text: `with head as materialized (
      select o.place, $2::integer is not null and f.webhook_id <> all($4::uuid[]) as lease
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
  /** Webhooks of those released without a lease: a claim will send them. */
  due: string[];
}

/**
 * Releases the next delivery of each of these videos, if it is blocked and nothing earlier is pending. Call it after the
 * commit that deleted or reopened deliveries of these videos.
 * @param lease where given, leases what it releases to that node, except of the `closed` webhooks
 */
export async function releaseNext(
  sql: Sql,
  videos: readonly VideoKey[],
  lease: Lease | null,
  closed: readonly string[] = [],
): Promise<Released> {
  if (videos.length === 0) return { leased: [], due: [] };
  // Each video once: the second time, the statement would find its own update on the first row and skip it.
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

// By pending_deliveries_waiting; a stranded row is the lowest pending one of its video. A locked row is skipped: another
// transaction is just releasing or deleting it, and waiting for it could deadlock, as this walk has an order of its own.
// A row that was released meanwhile has another ctid. `offset 0`: each is looked up, not joined with a scan of all.
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
 * Walks `limit` blocked deliveries on from `from` and releases those with no earlier one pending: the process that should
 * have released them was killed.
 * @returns how many were released, and where to continue; null at the end
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
