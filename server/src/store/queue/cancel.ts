import type { EventType } from "../../kernel/event-catalog.ts";
import type { Sql, Statement } from "../db.ts";
import type { DeliveryKey } from "./key.ts";
import { OF_SPACE, PENDING_STATUS, type PendingStatus } from "./status.ts";

/**
 * Moves the rows of `gone` to the history as canceled. A delivery that had finished before it was sent again or
 * replayed keeps its earlier outcome. Its attempt count still increases, so that a later attempt does not reuse a
 * number.
 */
const intoHistory = (
  reason: string,
) => `insert into deliveries (space_id, id, webhook_id, event_id, type, video_id, sequence,
        previous, status, reason, attempts)
      select space_id, id, webhook_id, event_id, type, case when sequence > 0 then video_id end, sequence, previous,
        'canceled', ${reason}, attempt from gone
      on conflict (space_id, id) do update set attempts = greatest(deliveries.attempts, excluded.attempts)`;

/** Selects pending deliveries. A null field matches every delivery. */
export interface CancellationFilter {
  space: string;
  webhook: string | null;
  event: string | null;
  video: string | null;
  type: EventType | null;
  status: PendingStatus | null;
  /** Exclusive bounds on the id, derived from a time range. */
  low: string;
  high: string;
}

// Uses pending_deliveries_by_id, oldest first. Deliveries that are being sent are skipped.
const CHOSEN = `from pending_deliveries o left join webhooks w on w.space_id = o.space_id and w.id = o.webhook_id
  where ${OF_SPACE} and o.id > $2 and o.id < $3 and o.leased_until < now()
    and ($4::uuid is null or o.webhook_id = $4) and ($5::uuid is null or o.event_id = $5)
    and ($6::text is null or o.video_id = $6) and ($7::text is null or o.type = $7)
    and ($8::text is null or ${PENDING_STATUS} = $8)`;

const valuesOf = ({ space, low, high, webhook, event, video, type, status }: CancellationFilter) => [
  space,
  low,
  high,
  webhook,
  event,
  video,
  type,
  status,
];

const count: Statement = {
  name: "queue_count_cancellation",
  text: `select count(*)::int as total, min(id::text) as first, max(id::text) as last
    from (select o.id ${CHOSEN} order by o.id limit $9) counted`,
};

export interface CancellationCount {
  total: number;
  /** The lowest and highest delivery ids, each of which contains its event's time. */
  first: string | null;
  last: string | null;
}

/** Counts the deliveries that a cancellation would cancel, up to `max`. */
export async function countCancellation(sql: Sql, filter: CancellationFilter, max: number): Promise<CancellationCount> {
  return (await sql.run<CancellationCount>(count, [...valuesOf(filter), max]))[0]!;
}

// Skips rows that another transaction has locked. This statement never waits while holding locks, so it cannot
// deadlock. The caller repeats the walk until no rows are left.
const slice: Statement = {
  name: "queue_cancel",
  text: `with chosen as materialized (
      select o.ctid as place ${CHOSEN} order by o.id limit $9 for update of o skip locked
    ), gone as (
      delete from pending_deliveries o using chosen c where o.ctid = c.place returning o.*
    ), history as (
      ${intoHistory("$10")}
    )
    select space_id, webhook_id, video_id, sequence, id, event_id from gone order by id`,
};

export interface CanceledDelivery extends DeliveryKey {
  id: string;
  event_id: string;
}

/**
 * Cancels up to `limit` matching deliveries, oldest first. After the commit, release the next delivery of each of their
 * videos.
 */
export async function cancelSlice(
  tx: Sql,
  filter: CancellationFilter,
  limit: number,
  reason: string,
): Promise<CanceledDelivery[]> {
  return tx.run<CanceledDelivery>(slice, [...valuesOf(filter), limit, reason]);
}

const ofWebhook: Statement = {
  name: "queue_cancel_webhook",
  text: `with gone as (delete from pending_deliveries where space_id = $1 and webhook_id = $2 returning *)
    ${intoHistory("$3")}`,
};

/** Cancels all pending deliveries of a deleted webhook, including those being sent. */
export async function cancelWebhookDeliveries(tx: Sql, space: string, webhook: string, reason: string): Promise<void> {
  await tx.run(ofWebhook, [space, webhook, reason]);
}

// Uses pending_deliveries_by_replay. Canceled deliveries no longer count toward the replay's `done`.
const ofReplay: Statement = {
  name: "queue_cancel_replay",
  text: `with gone as (
      delete from pending_deliveries where replay_id = $1 and leased_until < now() returning *
    ), counted_back as (
      update replays set done = done - (select count(*) from gone)
      where (space_id, id) in (select space_id, replay_id from gone)
    )
    ${intoHistory("'Its replay was canceled.'")}`,
};

/** Cancels the deliveries that a replay has reopened, except those being sent. */
export async function cancelReplayed(tx: Sql, replay: string): Promise<void> {
  await tx.run(ofReplay, [replay]);
}

const orphans: Statement = {
  name: "queue_orphans",
  text: `with recursive webhook as (
      (select space_id, webhook_id from pending_deliveries order by space_id, webhook_id limit 1)
      union all
      select next.* from webhook f cross join lateral (
        select o.space_id, o.webhook_id from pending_deliveries o
        where (o.space_id, o.webhook_id) > (f.space_id, f.webhook_id)
        order by o.space_id, o.webhook_id limit 1) next
    )
    select f.space_id, f.webhook_id from webhook f
    where not exists (select from webhooks w where w.space_id = f.space_id and w.id = f.webhook_id)`,
};

/**
 * Lists deleted webhooks that still have pending deliveries, because events were recorded while the webhooks were being
 * deleted.
 */
export async function listOrphans(sql: Sql): Promise<{ space_id: string; webhook_id: string }[]> {
  return sql.run(orphans);
}
