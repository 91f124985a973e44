import type { EventType } from "../kernel/event-catalog.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Database, Sql, Statement } from "./db.ts";
import { COMMON_TYPES, RARE } from "./events.ts";
import { OF_SPACE, PENDING_STATUS, type PendingStatus } from "./queue/status.ts";

export type FinishedStatus = "succeeded" | "failed" | "canceled";
export type DeliveryStatus = PendingStatus | FinishedStatus;

/** A delivery, pending or finished. */
export interface DeliveryRow {
  space_id: string;
  id: string;
  webhook_id: string;
  event_id: string;
  type: EventType;
  video_id: string | null;
  sequence: number;
  previous: number;
  status: DeliveryStatus;
  attempts: number;
  /** The reason for a cancellation. */
  reason: string | null;
  /** How many steps of the retry schedule a pending delivery has used; null once it has finished. */
  step: number | null;
  /** When the next attempt is due; null while the delivery waits for another delivery, and once it has finished. */
  due_at: Date | null;
  /** The pending delivery that this one waits for; it belongs to an earlier event of the same video. */
  waits_for: string | null;
  last_started_at: Date | null;
  response_status: number | null;
  error: string | null;
  duration_ms: number | null;
}

// Both halves of every lookup, pending and finished, return the same columns. A pending delivery includes the delivery
// that it waits for and its last attempt (attempts_pkey, read backward). A finished delivery is returned as it was
// settled.
const PENDING = `select o.space_id, o.id, o.webhook_id, o.event_id, o.type, case when o.sequence > 0 then o.video_id end as video_id,
    o.sequence, o.previous, ${PENDING_STATUS} as status, o.attempt as attempts, null as reason, o.step::int,
    case when o.due_at < 'infinity' then greatest(o.due_at, now(),
      case when o.due_at > '-infinity' and w.waits_until > now() then w.waits_until end) end as due_at,
    (select l.id from pending_deliveries l where o.due_at = 'infinity' and l.space_id = o.space_id
      and l.webhook_id = o.webhook_id and l.video_id = o.video_id and l.sequence < o.sequence
      order by l.sequence desc limit 1) as waits_for,
    a.started_at as last_started_at, a.response_status, a.error, (a.timings->>'total')::real as duration_ms
  from pending_deliveries o
  left join webhooks w on w.space_id = o.space_id and w.id = o.webhook_id
  left join lateral (select * from attempts t where t.space_id = o.space_id and t.delivery_id = o.id
    order by t.attempt desc limit 1) a on true`;
const FINISHED = `select d.space_id, d.id, d.webhook_id, d.event_id, d.type, d.video_id, d.sequence, d.previous, d.status,
    d.attempts, d.reason, null::int as step, null::timestamptz as due_at, null::uuid as waits_for,
    case when d.duration_ms is not null then d.finished_at - d.duration_ms * interval '1 ms' end as last_started_at,
    d.response_status, d.error, d.duration_ms
  from deliveries d`;
/**
 * A finished delivery that is sent again or replayed is in both tables while it is pending. In that case, only the
 * pending half returns it.
 */
const NOT_PENDING = `not exists (select from pending_deliveries o
    where uuid_send(o.space_id) = uuid_send(d.space_id) and o.id = d.id)`;

const byId: Statement = {
  name: "delivery_get",
  text: `${PENDING} where ${OF_SPACE} and o.id = $2 union all ${FINISHED} where d.space_id = $1 and d.id = $2 and ${NOT_PENDING}`,
};

export async function getDelivery(sql: Sql, space: string, id: string): Promise<DeliveryRow | undefined> {
  return (await sql.run<DeliveryRow>(byId, [space, id]))[0];
}

const ofEvent: Statement = {
  name: "delivery_of_event",
  text: `${PENDING} where ${OF_SPACE} and o.id = delivery_id($2, $3)
    union all ${FINISHED} where d.space_id = $1 and d.id = delivery_id($2, $3) and ${NOT_PENDING}`,
};

/** Finds an event's delivery to a webhook. */
export async function getDeliveryOf(sql: Sql, space: string, event: string, webhook: string) {
  return (await sql.run<DeliveryRow>(ofEvent, [space, event, webhook]))[0];
}

export interface DeliveryFilter {
  webhook: string | null;
  event: string | null;
  video: string | null;
  type: EventType | null;
  /** Null matches any status. */
  statuses: readonly DeliveryStatus[] | null;
  /** Inclusive range for the last response's status, or `none` for deliveries without a response. */
  response: { from: number; to: number } | "none" | null;
  /** Exclusive bounds on the id, derived from a time range and the cursor. */
  low: string;
  high: string;
}

// If $13 is false, the pending half cannot contain a match and is skipped. $14 does the same for the finished half.
const FILTER_PENDING = `$13::boolean and ${OF_SPACE} and o.id > $2 and o.id < $3
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
  and ${NOT_PENDING}`;

const RESPONSE_CLASS = "d.status <> 'succeeded' and coalesce(d.response_status / 100, 0) = coalesce($10::int / 100, 0)";
const OF_STATUS = "d.status <> 'succeeded' and d.status = ($9::text[])[1]";

/** The leading conditions, each of which determines the index to use. All other conditions only filter. */
const LEADING = {
  video: "d.video_id = $7", // deliveries_by_video: reads the video's few rows, then sorts them
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
/** The conditions that each index serves. A video has few deliveries, so its index counts as serving all conditions. */
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
      const pending = `(${PENDING} where ${FILTER_PENDING} order by o.id ${order} limit $4)`;
      const walk = `${FINISHED} where ${LEADING[leading]} and ${FILTER_FINISHED}`;
      // Without `offset 0`, the planner would scan all deliveries in order, expecting early matches.
      const chosen =
        leading === "video" ? `select * from (${walk} offset 0) d where ${BETWEEN}` : `${walk} and ${BETWEEN}`;
      const finished = `(${chosen} order by d.id ${order} limit $4)`;
      const text = `select * from (${pending} union all ${finished}) both_halves order by id ${order} limit $4`;
      return [`${leading} ${order}`, { name: `deliveries_list_${leading}_${order}`, text }];
    }),
  ),
) as Record<`${Leading} ${Order}`, Statement>;

/**
 * Lists at most `limit` deliveries, newest first if `order` is `desc`. A single statement reads both halves, so that a
 * delivery that moves from one to the other is not missed.
 */
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
  return [...values, mayBePending(filter), mayBeFinished(filter)];
}

export type Walk = "short" | "long";
const WALKED: Record<Walk, number> = { short: LIMITS.LIST_SCAN_FIRST_ROWS, long: LIMITS.LIST_SCAN_ROWS_MAX };

// Walks only the leading condition's index, in order. A limit inside the list statement would not work, because the
// planner could read and sort that many rows even if the first few fill a page. This statement takes the same values as
// the list statement, and casts the unused ones to give them a type.
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

// The planner does not know how many rows a value selects, so it would otherwise sort them all instead of walking the
// index in order.
const walkInOrder: Statement = {
  name: "deliveries_walk_in_order",
  text: "select set_config('enable_sort', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)",
};

export interface WalkEnd {
  /** The last delivery to read. */
  last: string;
  /** The first delivery past the limit. */
  beyond: string;
}

/**
 * Finds how far back in the history one list request may read.
 * @returns null if it may read everything, because the history ends within the limit or the index selects only matching
 * rows
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

/** Returns the most selective condition that has an index. */
function leadingOf(filter: DeliveryFilter): Leading {
  if (filter.video !== null) return "video";
  const by = filter.webhook === null ? "" : "webhook_";
  if (isUnsuccessful(filter.response)) return `${by}response`;
  if (filter.statuses?.length === 1 && filter.statuses[0] !== "succeeded") return `${by}status`;
  if (filter.type !== null && !COMMON_TYPES.has(filter.type)) return "type";
  return filter.webhook === null ? "any" : "webhook";
}

const FINISHED_STATUSES: readonly string[] = ["succeeded", "failed", "canceled"] satisfies FinishedStatus[];

/** Whether the filter excludes successful deliveries, whose last response is always a 2xx. */
const isUnsuccessful = (response: DeliveryFilter["response"]): boolean =>
  response === "none" || (response !== null && response.from !== 200);

const mayBePending = ({ statuses }: DeliveryFilter): boolean =>
  statuses === null || statuses.some((status) => !FINISHED_STATUSES.includes(status));

function mayBeFinished({ statuses, response }: DeliveryFilter): boolean {
  if (statuses === null) return true;
  const finished = statuses.filter((status) => FINISHED_STATUSES.includes(status));
  return finished.some((status) => status !== "succeeded" || !isUnsuccessful(response));
}

const sendAgain: Statement = {
  name: "delivery_send_again",
  text: `update deliveries set sent_again_at = now() where space_id = $1 and id = $2
      and (sent_again_at is null or sent_again_at < now() - $3::float8 * interval '1 ms')
    returning webhook_id`,
};

/**
 * Records that a user is sending a finished delivery again.
 * @returns whether this is the first such request within `within_ms`, so that repeated clicks make only one attempt
 */
export async function claimSendAgain(tx: Sql, space: string, id: string, within_ms: number): Promise<boolean> {
  return (await tx.run(sendAgain, [space, id, within_ms])).length > 0;
}
