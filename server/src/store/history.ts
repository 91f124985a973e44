import type { DeliveryRow, FinishedStatus, PendingStatus } from "../delivery/delivery.ts";
import type { EventType } from "../kernel/event-catalog.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Database, Sql, Statement } from "./db.ts";
import { COMMON_TYPES, RARE } from "./events.ts";

// Both halves of every look-up give the same columns: open ones with what they wait for and their last attempt
// (attempts_pkey, backwards), finished ones as they were settled.
const OPEN = `select o.space_id, o.id, o.webhook_id, o.event_id, o.type, case when o.sequence > 0 then o.video_id end as video_id,
    o.sequence, o.previous, o.attempt as attempts, null as reason, null as finished, o.step::int,
    o.leased_until > now() as sending, o.due_at = 'infinity' as blocked, case when o.due_at = '-infinity' then now() else nullif(o.due_at, 'infinity') end as due_at,
    (select l.id from pending_deliveries l where o.due_at = 'infinity' and l.space_id = o.space_id
      and l.webhook_id = o.webhook_id and l.video_id = o.video_id and l.sequence < o.sequence
      order by l.sequence desc limit 1) as waits_for,
    w.status as webhook_status, a.started_at as last_started_at, a.response_status, a.error,
    (a.timings->>'total')::real as duration_ms
  from pending_deliveries o
  left join webhooks w on w.space_id = o.space_id and w.id = o.webhook_id
  left join lateral (select * from attempts t where t.space_id = o.space_id and t.delivery_id = o.id
    order by t.attempt desc limit 1) a on true`;
const FINISHED = `select d.space_id, d.id, d.webhook_id, d.event_id, d.type, d.video_id, d.sequence, d.previous, d.attempts,
    d.reason, d.status as finished, null::int as step, null::boolean as sending, null::boolean as blocked,
    null::timestamptz as due_at, null::uuid as waits_for, null as webhook_status,
    case when d.duration_ms is not null then d.finished_at - d.duration_ms * interval '1 ms' end as last_started_at,
    d.response_status, d.error, d.duration_ms
  from deliveries d`;
/** One that is sent again is open and in the history: the open half shows it. */
const NOT_OPEN = `not exists (select from pending_deliveries o
    where uuid_send(o.space_id) = uuid_send(d.space_id) and o.id = d.id)`;
/** As pending_deliveries_by_id is written; the migration says why. */
const OF_SPACE = "uuid_send(o.space_id) = uuid_send($1::uuid)";

const byId: Statement = {
  name: "delivery_get",
  text: `${OPEN} where ${OF_SPACE} and o.id = $2 union all ${FINISHED} where d.space_id = $1 and d.id = $2 and ${NOT_OPEN}`,
};

export async function getDelivery(sql: Sql, space: string, id: string): Promise<DeliveryRow | undefined> {
  return (await sql.run<DeliveryRow>(byId, [space, id]))[0];
}

const ofEvent: Statement = {
  name: "delivery_of_event",
  text: `${OPEN} where ${OF_SPACE} and o.event_id = $2 and o.webhook_id = $3
      and o.id between $4 and $5
    union all ${FINISHED} where d.space_id = $1 and d.event_id = $2 and d.webhook_id = $3
      and d.id between $4 and $5 and ${NOT_OPEN}`,
};

/** The delivery of this event to this webhook. */
export async function getDeliveryOf(sql: Sql, space: string, event: string, webhook: string) {
  const half = event.slice(0, 18); // which its deliveries' ids share
  const range = [`${half}-0000-000000000000`, `${half}-ffff-ffffffffffff`];
  return (await sql.run<DeliveryRow>(ofEvent, [space, event, webhook, ...range]))[0];
}

export interface DeliveryFilter {
  webhook: string | null;
  event: string | null;
  video: string | null;
  type: EventType | null;
  /** null: any. Open words, finished words or both. */
  statuses: readonly (PendingStatus | FinishedStatus)[] | null;
  /** The last response's status lies in [from, to]; `none`: there was no response. */
  response: { from: number; to: number } | "none" | null;
  /** Ids lie between these, both excluded: from a time range and the cursor. */
  low: string;
  high: string;
}

/** Of `pending_deliveries o` and its `webhooks w`. */
export const PENDING_STATUS = `case when o.leased_until > now() then 'sending' when w.status is distinct from 'enabled' then 'held'
  when o.due_at = 'infinity' or o.attempt = 0 then 'waiting' else 'retrying' end`;
// $13 and $14: a half that cannot have any is not read at all.
const FILTER_OPEN = `$13::boolean and ${OF_SPACE} and o.id > $2 and o.id < $3
  and ($5::uuid is null or o.webhook_id = $5) and ($6::uuid is null or o.event_id = $6)
  and ($7::text is null or o.video_id = $7) and ($8::text is null or o.type = $8)
  and ($9::text[] is null or ${PENDING_STATUS} = any($9))
  and ($10::int is null or a.response_status between $10 and $11) and (not $12 or a.response_status is null)`;
const BETWEEN = "d.id > $2 and d.id < $3";
const FILTER_FINISHED = `$14::boolean and d.space_id = $1
  and ($5::uuid is null or d.webhook_id = $5) and ($6::uuid is null or d.event_id = $6)
  and ($7::text is null or d.video_id = $7) and ($8::text is null or d.type = $8)
  and ($9::text[] is null or d.status = any($9))
  and ($10::int is null or d.response_status between $10 and $11) and (not $12 or d.response_status is null)
  and ${NOT_OPEN}`;

const RESPONSE_CLASS = "d.status <> 'succeeded' and coalesce(d.response_status / 100, 0) = coalesce($10::int / 100, 0)";
const OF_STATUS = "d.status <> 'succeeded' and d.status = ($9::text[])[1]";

/** The condition that chooses the index of the history; the rest only filters. */
const LEADING = {
  video: "d.video_id = $7", // deliveries_by_video: few rows, sorted
  webhook_response: `d.webhook_id = $5 and ${RESPONSE_CLASS}`, // deliveries_by_webhook_response
  webhook_status: `d.webhook_id = $5 and ${OF_STATUS}`, // deliveries_unsuccessful_by_webhook
  response: RESPONSE_CLASS, // deliveries_by_response
  status: OF_STATUS, // deliveries_unsuccessful
  type: `d.type = $8 and d.${RARE}`, // deliveries_by_rare_type
  webhook: "d.webhook_id = $5", // deliveries_by_webhook
  any: "true", // deliveries_pkey
} as const;
type Leading = keyof typeof LEADING;
type Condition = "webhook" | "type" | "statuses" | "response";
/** What the leading condition sees to; of a video there are few, whatever else is asked for. */
const SERVED: Record<Leading, readonly Condition[]> = {
  video: ["webhook", "type", "statuses", "response"],
  webhook_response: ["webhook", "response"],
  webhook_status: ["webhook", "statuses"],
  response: ["response"],
  status: ["statuses"],
  type: ["type"],
  webhook: ["webhook"],
  any: [],
};
type Order = "desc" | "asc";

const list = Object.fromEntries(
  (Object.keys(LEADING) as Leading[]).flatMap((leading) =>
    (["desc", "asc"] as const).map((order): [string, Statement] => {
      const open = `(${OPEN} where ${FILTER_OPEN} order by o.id ${order} limit $4)`;
      const walk = `${FINISHED} where ${LEADING[leading]} and ${FILTER_FINISHED}`;
      // `offset 0`: else the planner hopes to meet a video's few on its way through all, in order.
      const chosen =
        leading === "video" ? `select * from (${walk} offset 0) d where ${BETWEEN}` : `${walk} and ${BETWEEN}`;
      const finished = `(${chosen} order by d.id ${order} limit $4)`;
      const text = `select * from (${open} union all ${finished}) both_halves order by id ${order} limit $4`;
      return [`${leading} ${order}`, { name: `deliveries_list_${leading}_${order}`, text }];
    }),
  ),
) as Record<`${Leading} ${Order}`, Statement>;

/** Deliveries, newest first for `desc`, at most `limit`. One statement, so that none is missed between its two halves. */
export async function listDeliveries(
  sql: Sql,
  space: string,
  filter: DeliveryFilter,
  order: Order,
  limit: number,
): Promise<DeliveryRow[]> {
  return sql.run<DeliveryRow>(list[`${leadingOf(filter)} ${order}`], valuesOf(space, filter, limit));
}

function valuesOf(space: string, filter: DeliveryFilter, limit: number): unknown[] {
  const { webhook, event, video, type, statuses, response, low, high } = filter;
  const range = response === null || response === "none" ? [null, null] : [response.from, response.to];
  const values = [space, low, high, limit, webhook, event, video, type, statuses, ...range, response === "none"];
  return [...values, mayBeOpen(filter), mayBeFinished(filter)];
}

export type Walk = "soon" | "long";
const WALKED: Record<Walk, number> = { soon: LIMITS.LIST_SCAN_FIRST_ROWS, long: LIMITS.LIST_SCAN_ROWS_MAX };

// Only the leading condition's index is walked, in its order. A statement of its own, since a limit inside of the list's
// would let the planner read that many rows and sort them where a page of them is met at once. It takes the list's values;
// those that it has no use for need a type.
const walkEnd = Object.fromEntries(
  (Object.keys(LEADING) as Leading[]).flatMap((leading) =>
    (Object.keys(WALKED) as Walk[]).map((walk): [string, Statement] => [
      `${leading} ${walk}`,
      {
        name: `deliveries_walk_end_${leading}_${walk}`,
        text: `with unused as (select $4::int, $5::uuid, $6::uuid, $7::text, $8::text, $9::text[], $10::int, $11::int,
            $12::boolean, $13::boolean)
          select d.id from deliveries d where $14::boolean and d.space_id = $1 and ${LEADING[leading]} and ${BETWEEN}
          order by d.id desc offset ${WALKED[walk] - 1} limit 2`,
      },
    ]),
  ),
) as Record<`${Leading} ${Walk}`, Statement>;

// The planner, who does not know how many a value leads to, would rather sort them all than walk in order.
const walkInOrder: Statement = {
  name: "deliveries_walk_in_order",
  text: "select set_config('enable_sort', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)",
};

export interface WalkEnd {
  /** The last one that is looked at. */
  last: string;
  /** The first one that is not. */
  beyond: string;
}

/**
 * How far back a list may look at the history at once. null where it may look at all of it: there is no more, or its index
 * leads to nothing but what it asks for.
 */
export async function findWalkEnd(
  db: Pick<Database, "transaction">,
  space: string,
  filter: DeliveryFilter,
  walk: Walk,
): Promise<WalkEnd | null> {
  const leading = leadingOf(filter);
  const conditions = (["webhook", "type", "statuses", "response"] as const).filter((name) => filter[name] !== null);
  const served = conditions.every((name) => SERVED[leading].includes(name));
  if (served || filter.event !== null || !mayBeFinished(filter)) return null;
  const [last, beyond] = await db.transaction(async (tx) => {
    await tx.run(walkInOrder);
    return tx.last<{ id: string }>(walkEnd[`${leading} ${walk}`], valuesOf(space, filter, 0));
  });
  return last && beyond ? { last: last.id, beyond: beyond.id } : null;
}

/** The most selective condition that has an index. */
function leadingOf(filter: DeliveryFilter): Leading {
  if (filter.video !== null) return "video";
  const by = filter.webhook === null ? "" : "webhook_";
  if (isUnsuccessful(filter.response)) return `${by}response`;
  if (filter.statuses?.length === 1 && filter.statuses[0] !== "succeeded") return `${by}status`;
  if (filter.type !== null && !COMMON_TYPES.has(filter.type)) return "type";
  return filter.webhook === null ? "any" : "webhook";
}

const FINISHED_WORDS: readonly string[] = ["succeeded", "failed", "canceled"] satisfies FinishedStatus[];

/** Nothing but a 2xx succeeds. */
const isUnsuccessful = (response: DeliveryFilter["response"]): boolean =>
  response === "none" || (response !== null && response.from !== 200);

const mayBeOpen = ({ statuses }: DeliveryFilter): boolean =>
  statuses === null || statuses.some((status) => !FINISHED_WORDS.includes(status));

function mayBeFinished({ statuses, response }: DeliveryFilter): boolean {
  if (statuses === null) return true;
  const finished = statuses.filter((status) => FINISHED_WORDS.includes(status));
  return finished.some((status) => status !== "succeeded" || !isUnsuccessful(response));
}

const lockOpen: Statement = {
  name: "pending_delivery_lock",
  text: `select o.webhook_id, o.leased_until > now() as sending, o.due_at = 'infinity' as blocked, o.due_at = '-infinity' as by_hand,
      (select w.status from webhooks w where w.space_id = o.space_id and w.id = o.webhook_id) as webhook_status
    from pending_deliveries o where ${OF_SPACE} and o.id = $2 for update of o`,
};

export interface OpenState {
  webhook_id: string;
  sending: boolean;
  blocked: boolean;
  /** A person has just sent it. */
  by_hand: boolean;
  webhook_status: string | null;
}

export async function lockOpenDelivery(tx: Sql, space: string, id: string): Promise<OpenState | undefined> {
  return (await tx.run<OpenState>(lockOpen, [space, id]))[0];
}

const hasten: Statement = {
  name: "pending_delivery_hasten",
  text: `update pending_deliveries o set due_at = '-infinity' where ${OF_SPACE} and o.id = $2`,
};

/** Makes one due before all others (`claimDue` says how); it must be locked, and neither blocked nor leased. */
export async function hastenDelivery(tx: Sql, space: string, id: string): Promise<void> {
  await tx.run(hasten, [space, id]);
}

const takeAgain: Statement = {
  name: "delivery_take_again",
  text: `update deliveries set sent_again_at = now() where space_id = $1 and id = $2
      and (sent_again_at is null or sent_again_at < now() - $3::float8 * interval '1 ms')
    returning webhook_id`,
};

/** Whether this click is the one that counts: the first within `within_ms`. */
export async function takeSendAgain(tx: Sql, space: string, id: string, within_ms: number): Promise<boolean> {
  return (await tx.run(takeAgain, [space, id, within_ms])).length > 0;
}

// It waits where an earlier event of its video is open; it never makes a later one wait. Its event is locked against an
// erasure: whichever comes second sees what the other did.
const reopen: Statement = {
  name: "delivery_reopen",
  text: `insert into pending_deliveries (space_id, webhook_id, video_id, sequence, id, event_id, type, previous, attempt, step,
      due_at)
    select d.space_id, d.webhook_id, coalesce(d.video_id, d.event_id::text), d.sequence, d.id, d.event_id, d.type,
      d.previous, d.attempts, $3,
      case when w.ordering = 'video' and exists (select from pending_deliveries lower where lower.space_id = d.space_id
        and lower.webhook_id = d.webhook_id and lower.video_id = d.video_id and lower.sequence < d.sequence)
        then 'infinity' else '-infinity' end::timestamptz
    from deliveries d join webhooks w on w.space_id = d.space_id and w.id = d.webhook_id
    join events e on e.space_id = d.space_id and e.id = d.event_id and e.payload is not null
    where d.space_id = $1 and d.id = $2
    for share of e
    on conflict do nothing returning 1`,
};

/** Opens a finished delivery again, for one attempt. @returns false where its webhook or its event is gone, or that is erased */
export async function reopenDelivery(tx: Sql, space: string, id: string, step: number): Promise<boolean> {
  return (await tx.run(reopen, [space, id, step])).length > 0;
}

const statusOfWebhook: Statement = {
  name: "webhook_status",
  text: "select status from webhooks where space_id = $1 and id = $2",
};

/** null where it was deleted. */
export async function webhookStatus(tx: Sql, space: string, webhook: string): Promise<string | null> {
  return (await tx.run<{ status: string }>(statusOfWebhook, [space, webhook]))[0]?.status ?? null;
}
