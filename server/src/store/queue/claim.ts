import type { EventType } from "../../kernel/event-catalog.ts";
import type { TraceParent } from "../../kernel/trace.ts";
import type { Sql, Statement } from "../db.ts";
import type { Lease } from "../events.ts";

/** What names one open delivery. `video_id` is the event's own id where the event has no video. */
export interface DeliveryKey {
  space_id: string;
  webhook_id: string;
  video_id: string;
  sequence: number;
}

/** The same as one text, for sets. */
export const keyOf = ({ webhook_id, video_id, sequence }: Omit<DeliveryKey, "space_id">): string =>
  `${webhook_id} ${video_id} ${sequence}`;

/** A delivery leased to this node. */
export interface LeasedDelivery extends DeliveryKey {
  id: string;
  event_id: string;
  type: EventType;
  previous: number;
  attempt: number;
  step: number;
  /** A person sends it: it goes first, and does not wait for the end of a receiver's Retry-After. */
  by_hand?: boolean;
  /** null where its event is no longer kept. */
  payload: string | null;
  /** Its event's span; null where it was recorded without traces. */
  traceparent?: TraceParent | null | undefined;
  /** When the lease was asked for, on this process's monotonic clock. */
  leased_ms: number;
  /** It retries, at once, an attempt whose connection was being closed. */
  repeated?: boolean;
}

const CLAIMED = `o.space_id, o.webhook_id, o.video_id, o.sequence, o.id, o.event_id, o.type, o.previous, o.attempt, o.step,
  o.due_at`;

// Looked up each by each (`offset 0`), in its day: joined, the planner might walk through a day's index whole.
const ITS_EVENT = `left join lateral (select f.payload, f.traceparent from events f
      where f.space_id = o.space_id and f.id = o.event_id offset 0) e on true`;

// One look-up in pending_deliveries_due for each webhook, each with a limit of its own: a backlog hides nobody. Rows that
// another claim has locked are skipped. Taking the lease changes no indexed column. What a person sends is due since
// -infinity: so it comes first, and a webhook that rests is asked for nothing else, by the same index.
const claim: Statement = {
  name: "pending_deliveries_claim",
  text: `with due as materialized (
      select o.place from json_to_recordset($1::json) as w(webhook_id uuid, slots integer, by_hand boolean)
      join webhooks k on k.id = w.webhook_id and k.status = 'enabled'
      cross join lateral (
        select d.ctid as place from pending_deliveries d
        where d.webhook_id = w.webhook_id and d.due_at <= case when w.by_hand then '-infinity' else statement_timestamp() end
          and d.due_at < 'infinity' and d.leased_until < statement_timestamp()
        order by d.due_at limit w.slots for update skip locked) o
    ), leased as (
      update pending_deliveries o set attempt = attempt + 1, leased_by = $2::integer,
        leased_until = statement_timestamp() + $3::float8 * interval '1 ms'
      from due where o.ctid = due.place
      returning ${CLAIMED}, o.due_at = '-infinity' as by_hand
    )
    select ${CLAIMED}, o.by_hand, e.payload, e.traceparent
    from leased o ${ITS_EVENT}
    order by o.due_at`,
};

/** Leases up to `slots` due deliveries of each enabled webhook to the node, those sent by hand and the longest due first. */
export async function claimDue(
  sql: Sql,
  wanted: readonly { webhook_id: string; slots: number; by_hand?: boolean }[],
  lease: Lease,
): Promise<LeasedDelivery[]> {
  const rows = await sql.run<LeasedDelivery>(claim, [JSON.stringify(wanted), lease.node, lease.lease_ms]);
  return rows.map((row) => ({ ...row, leased_ms: lease.leased_ms }));
}

// Jumps from webhook to webhook in pending_deliveries_due: its cost is the number of webhooks, whatever their backlogs.
const dueWebhooks: Statement = {
  name: "pending_deliveries_due_webhooks",
  text: `with recursive first as (
      (select space_id, webhook_id, due_at from pending_deliveries where due_at < 'infinity'
        order by webhook_id, due_at limit 1)
      union all
      select next.* from first f cross join lateral (
        select o.space_id, o.webhook_id, o.due_at from pending_deliveries o
        where o.webhook_id > f.webhook_id and o.due_at < 'infinity'
        order by o.webhook_id, o.due_at limit 1) next
    )
    select f.webhook_id from first f join webhooks w on w.space_id = f.space_id and w.id = f.webhook_id
    where f.due_at <= now() and w.status = 'enabled'`,
};

/** The enabled webhooks that have something due, perhaps all of it leased already. */
export async function listDueWebhooks(sql: Sql): Promise<string[]> {
  return (await sql.run<{ webhook_id: string }>(dueWebhooks)).map((row) => row.webhook_id);
}

// The one waiting longest of each video, made due and, where asked for, leased in the same step. By its place alone: any
// condition that an index holds would let the planner walk through that, where it believes in an empty queue.
const release: Statement = {
  name: "pending_deliveries_release",
  text: `with head as materialized (
      select f.lease, o.place
      from json_to_recordset($1::json) as f(space_id uuid, webhook_id uuid, video_id text, lease boolean)
      cross join lateral (
        select h.ctid as place, h.due_at from pending_deliveries h
        where h.space_id = f.space_id and h.webhook_id = f.webhook_id and h.video_id = f.video_id
        order by h.sequence limit 1 for update) o
      where o.due_at = 'infinity'
    ), freed as (
      update pending_deliveries o set due_at = statement_timestamp(),
        attempt = o.attempt + case when head.lease then 1 else 0 end,
        leased_by = case when head.lease then $2::integer end,
        leased_until = case when head.lease then statement_timestamp() + $3::float8 * interval '1 ms' else '-infinity' end
      from head where o.ctid = head.place
      returning ${CLAIMED}, head.lease
    )
    select ${CLAIMED}, o.lease, e.payload, e.traceparent
    from freed o ${ITS_EVENT}`,
};

export interface Freed {
  space_id: string;
  webhook_id: string;
  video_id: string;
  /** Whether this node sends it at once. */
  lease: boolean;
}

/** Lets the next delivery of each of these videos go. @returns what was freed, leased to the node where `lease` */
export async function releaseNext(
  sql: Sql,
  freed: readonly Freed[],
  lease: Lease | null,
): Promise<(LeasedDelivery & { lease: boolean })[]> {
  // Each video once: asked a second time, the statement would find its own update on the first row, skip that, and let
  // the event after it go as well.
  const videos = new Map(freed.map((one) => [`${one.webhook_id} ${one.video_id}`, one]));
  const sorted = [...videos.values()].sort(inLockOrder);
  const values = [JSON.stringify(sorted), lease?.node ?? null, lease?.lease_ms ?? 0];
  const rows = await sql.run<LeasedDelivery & { lease: boolean }>(release, values);
  return rows.map((row) => ({ ...row, leased_ms: lease?.leased_ms ?? 0 }));
}

type Head = Pick<DeliveryKey, "webhook_id" | "video_id">;

/** Of every statement that locks rows of several videos, so that two of them never wait for each other. */
export function inLockOrder(a: Head, b: Head): number {
  return compare(a.webhook_id, b.webhook_id) || compare(a.video_id, b.video_id);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

// The attempt number goes back too: nothing was sent. Guarded by it as every end of a lease.
const putBack: Statement = {
  name: "pending_deliveries_put_back",
  text: `with held as materialized (
      select o.place
      from json_to_recordset($1::json) as b(space_id uuid, webhook_id uuid, video_id text, sequence integer, attempt integer)
      cross join lateral (
        select r.ctid as place from pending_deliveries r
        where r.space_id = b.space_id and r.webhook_id = b.webhook_id and r.video_id = b.video_id
          and r.sequence = b.sequence and r.attempt = b.attempt and r.leased_until > '-infinity'
        for update) o
    )
    update pending_deliveries o set attempt = o.attempt - 1, leased_until = '-infinity', leased_by = null
    from held where o.ctid = held.place returning o.webhook_id, o.video_id, o.sequence`,
};

/** Ends the leases of deliveries that were not sent after all. After an error they end by themselves. */
export async function putBackUnsent(sql: Sql, unsent: readonly (DeliveryKey & { attempt: number })[]) {
  const keys = [...unsent].sort(inLockOrder).map(({ space_id, webhook_id, video_id, sequence, attempt }) => {
    return { space_id, webhook_id, video_id, sequence, attempt };
  });
  const done = new Set((await sql.run<DeliveryKey>(putBack, [JSON.stringify(keys)])).map(keyOf));
  // One that was marked as followed just then has a new place and was missed. Never twice the same: another node may have
  // taken it since, with the same number.
  const missed = keys.filter((key) => !done.has(keyOf(key)));
  if (missed.length > 0) await sql.run(putBack, [JSON.stringify(missed)]);
}

const cancelWebhook: Statement = {
  name: "pending_deliveries_cancel_webhook",
  text: `with gone as (delete from pending_deliveries where space_id = $1 and webhook_id = $2 returning *)
    insert into deliveries (space_id, id, webhook_id, event_id, type, video_id, sequence, previous, status, reason, attempts)
    select space_id, id, webhook_id, event_id, type, case when sequence > 0 then video_id end, sequence, previous,
      'canceled', $3, attempt from gone
    on conflict (space_id, id) do update set attempts = greatest(deliveries.attempts, excluded.attempts)`,
};

/** Cancels all of a webhook's open deliveries. One that was sent again keeps how it had ended before, its attempts counted on. */
export async function cancelWebhookDeliveries(tx: Sql, space: string, webhook: string, reason: string): Promise<void> {
  await tx.run(cancelWebhook, [space, webhook, reason]);
}

// By pending_deliveries_waiting, which holds only rows that wait; a stranded one is the lowest open of its video. One that
// is locked is just being released, and waiting for it could be waiting in a circle: this walk has an order of its own.
// One that was released already has another place. `offset 0`: each is looked up, not joined with a walk through all.
const stranded: Statement = {
  name: "pending_deliveries_release_stranded",
  text: `with waiting as materialized (
      select ctid as place, space_id, webhook_id, video_id, sequence from pending_deliveries
      where due_at = 'infinity' and (space_id, webhook_id, video_id, sequence) > ($1, $2, $3, $4)
      order by space_id, webhook_id, video_id, sequence limit $5
    ), free as materialized (
      select o.ctid as place from waiting w join pending_deliveries o on o.ctid = w.place
      where not exists (
        select from pending_deliveries lower where lower.space_id = w.space_id and lower.webhook_id = w.webhook_id
          and lower.video_id = w.video_id and lower.sequence < w.sequence offset 0)
      for update of o skip locked
    ), freed as (
      update pending_deliveries o set due_at = statement_timestamp() from free where o.ctid = free.place
      returning o.webhook_id
    )
    select w.space_id, w.webhook_id, w.video_id, w.sequence, (select count(*)::int from freed) as freed
    from waiting w order by 1 desc, 2 desc, 3 desc, 4 desc limit 1`,
};

const FIRST: DeliveryKey = {
  space_id: "00000000-0000-0000-0000-000000000000",
  webhook_id: "00000000-0000-0000-0000-000000000000",
  video_id: "",
  sequence: -1,
};

/**
 * Walks `limit` waiting deliveries on from a place and makes those due that nothing earlier holds any more: their release
 * was lost with a process.
 * @returns how many were freed, and where to go on; null at the end
 */
export async function releaseStranded(
  sql: Sql,
  from: DeliveryKey | null,
  limit: number,
): Promise<{ freed: number; next: DeliveryKey | null }> {
  const { space_id, webhook_id, video_id, sequence } = from ?? FIRST;
  const values = [space_id, webhook_id, video_id, sequence, limit];
  const [last] = await sql.run<DeliveryKey & { freed: number }>(stranded, values);
  return last === undefined ? { freed: 0, next: null } : { freed: last.freed, next: last };
}

const cutLeases: Statement = {
  name: "pending_deliveries_cut_leases",
  text: `update pending_deliveries set leased_until = now() + $1::float8 * interval '1 ms'
    where leased_until > now() + 2 * $1::float8 * interval '1 ms' returning 1`,
};

/** After the database's clock was set back: no lease lasts longer than twice its time. @returns how many were cut */
export async function cutLongLeases(sql: Sql, lease_ms: number): Promise<number> {
  return (await sql.run(cutLeases, [lease_ms])).length;
}

const endLeases: Statement = {
  name: "pending_deliveries_end_leases",
  text: `update pending_deliveries set leased_until = '-infinity', leased_by = null where leased_by = $1 returning webhook_id`,
};

/** Ends every lease of a node that is gone. @returns how many there were */
export async function endNodeLeases(sql: Sql, node: number): Promise<number> {
  return (await sql.run(endLeases, [node])).length;
}

const orphans: Statement = {
  name: "pending_deliveries_orphans",
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

/** Webhooks that are gone and yet have open deliveries: an event was recorded while they were deleted. */
export async function listOrphans(sql: Sql): Promise<{ space_id: string; webhook_id: string }[]> {
  return sql.run(orphans);
}
