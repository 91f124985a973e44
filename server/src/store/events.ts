import type { EventType } from "../kernel/event-catalog.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { TraceParent } from "../kernel/trace.ts";
import type { Sql, Statement } from "./db.ts";
import { inLockOrder, keyOf } from "./queue/claim.ts";
import { packedRows } from "./queue/packed-rows.ts";

/** What a node writes into the rows that it takes. */
export interface Lease {
  node: number;
  lease_ms: number;
  /** When it was asked for, on that node's monotonic clock: the node counts `lease_ms` from here, the database from later. */
  leased_ms: number;
}

/** An event whose bytes are fixed: every attempt to every webhook signs and sends the same `payload`. */
export interface FrozenEvent {
  /** UUID, version 7. */
  uuid: string;
  /** The short id that the API shows. */
  id: string;
  space: string;
  type: EventType;
  /** The video it is about; null for events about the webhooks themselves. */
  video: string | null;
  /** The event's number within its video, from 1, as counted by the statement that changed the video; 0 without a video. */
  sequence: number;
  payload: string;
  /** Its span, or the one that caused it; null without tracing. */
  traceparent?: TraceParent | null;
  /** The id (UUID) of the only webhook that receives it. */
  only?: string;
  /** The id (UUID) of a webhook that does not receive it. */
  except?: string;
  /** Attempted once, never retried. */
  once?: boolean;
}

/** An open delivery as it was recorded. */
export interface PendingDelivery {
  space_id: string;
  webhook_id: string;
  /** The video, or the event's own id for an event without one. */
  video_id: string;
  sequence: number;
  id: string;
  event_id: string;
  type: EventType;
  previous: number;
  /** 1 where it was leased to the recording node, else 0. */
  attempt: number;
  /** Steps of the retry schedule used. */
  step: number;
  /** Waits for an earlier event of its video. */
  blocked: boolean;
  /** Of one that waits: what it waits for knows. */
  marked?: boolean;
}

const { rows: EVENT_ROWS, pack } = packedRows("$1", {
  ...{ space_id: "uuid", id: "uuid", type: "text", video_id: "text", sequence: "integer", payload: "text" },
  ...{ traceparent: "text", only_id: "uuid", except_id: "uuid", step: "smallint" },
});
const EVENTS = `event as materialized (
      select * from ${EVENT_ROWS} e
    ), recorded as (
      insert into events (space_id, id, type, video_id, sequence, payload, traceparent)
      select space_id, id, type, video_id, sequence, payload, traceparent from event
    )`;

/** The webhooks of an event are those of its space at this moment (webhooks_pkey). */
const ITS_WEBHOOKS = `webhooks w on w.space_id = e.space_id
      and case when e.only_id is null then w.events @> array[e.type] and w.id is distinct from e.except_id
        else w.id = e.only_id end`;

// A delivery's id is the first half of its event's and a hash of both, so that no second one can be made.
const opened = (
  previous: string,
  blocked: string,
  at_once: string,
  from: string,
) => `insert into pending_deliveries (space_id, webhook_id,
      video_id, sequence, id, event_id, type, previous, attempt, step, due_at, leased_until, leased_by)
    select e.space_id, e.webhook_id, coalesce(e.video_id, e.id::text), e.sequence,
      (left(replace(e.id::text, '-', ''), 16)
        || encode(substr(sha256(uuid_send(e.id) || uuid_send(e.webhook_id)), 1, 8), 'hex'))::uuid,
      e.id, e.type,
      ${previous},
      case when handed then 1 else 0 end,
      e.step,
      case when ${blocked} then 'infinity' else statement_timestamp() end,
      case when handed then statement_timestamp() + $3::float8 * interval '1 ms' else '-infinity' end,
      case when handed then $2::integer end
    from ${from}
    cross join lateral (select ${at_once} and e.status = 'enabled' and $2::integer is not null
      and e.webhook_id <> all($4::uuid[]) as handed) h
    returning space_id, webhook_id, video_id, sequence, id, event_id, type, previous, attempt, step,
      due_at = 'infinity' as blocked`;

// `before` is the last one that is not over, by pending_deliveries_pkey. What is over is looked up, by deliveries_by_video,
// only where that one is not the one right before. Merely to begin a look-up in every day of `deliveries` takes longer than
// all the rest of an event, so the days before its video was created, and those to come, are left out (by $5 and $6, when
// the statement starts).
//
// A delivery that waits locks the one before it: so that one is either over, or is told here that it is followed, before
// whoever settles it goes on. What was changed between the start of this statement and the lock has a new place and
// misses the mark: `marked` says so. What ended meanwhile may have ended with its webhook, its attempt still under way:
// what would have waited for it is left to a claim, which sees whether that webhook is still there.
const record: Statement = {
  name: "events_record",
  text: `with ${EVENTS}, target as materialized (
      select e.space_id, e.id, e.type, e.video_id, e.sequence, e.step, w.id as webhook_id, w.ordering, w.status,
        (select max(o.sequence) from pending_deliveries o where e.sequence > 1 and o.space_id = e.space_id
          and o.webhook_id = w.id and o.video_id = e.video_id and o.sequence < e.sequence) as before
      from event e join ${ITS_WEBHOOKS}
      order by w.id, e.video_id collate "C"
    ), waited_for as materialized (
      select t.webhook_id, t.video_id, t.sequence, o.place from target t
      cross join lateral (
        select l.ctid as place from pending_deliveries l
        where t.ordering = 'video' and t.before is not null and l.space_id = t.space_id
          and l.webhook_id = t.webhook_id and l.video_id = t.video_id and l.sequence < t.sequence
        order by l.sequence desc limit 1 for no key update) o
    ), marked as (
      update pending_deliveries o set followed = true where o.ctid = any(array(select place from waited_for))
      returning o.webhook_id, o.video_id
    ), made as (
      ${opened(
        `case when e.before = e.sequence - 1 then e.before when e.sequence > 1 then coalesce(greatest(e.before,
          (select max(d.sequence) from deliveries d where d.space_id = e.space_id and d.webhook_id = e.webhook_id
            and d.video_id = e.video_id and d.sequence < e.sequence and d.id >= $5::uuid and d.id < $6::uuid)), 0) else 0 end`,
        "(f.place is not null)",
        "(e.before is null or e.ordering <> 'video')",
        "target e left join waited_for f using (webhook_id, video_id, sequence)",
      )}
    )
    select space_id, webhook_id, video_id, sequence, id, event_id, type, previous, attempt, step, blocked,
      m.video_id is not null as marked
    from made left join marked m using (webhook_id, video_id)`,
};

// A video's first event has nothing before it.
const recordFirst: Statement = {
  name: "events_record_first",
  text: `with ${EVENTS}
    ${opened(
      "0",
      "false",
      "true",
      `(select e.space_id, e.id, e.type, e.video_id, e.sequence, e.step, w.id as webhook_id, w.status
        from event e join ${ITS_WEBHOOKS}) e`,
    )}`,
};

/**
 * Inserts events of different videos and their deliveries.
 * @param lease where given, deliveries that can be sent at once are leased to that node, attempt 1
 * @param closed webhooks for which that is not wanted
 * @param past between which ids an earlier delivery of their videos can be; null where each is its video's first event
 */
export async function recordEvents(
  tx: Sql,
  events: readonly FrozenEvent[],
  lease: Lease | null,
  closed: readonly string[],
  past: { from: string; to: string } | null,
): Promise<PendingDelivery[]> {
  const rows = events.map(({ uuid, space, type, video, sequence, payload, traceparent, only, except, once }) => {
    const event = { space_id: space, id: uuid, type, video_id: video, sequence, payload, traceparent };
    return { ...event, only_id: only, except_id: except, step: once ? LIMITS.STEP_MANUAL : 0 };
  });
  const values = [pack(rows), lease?.node ?? null, lease?.lease_ms ?? 0, closed];
  return past === null ? tx.run(recordFirst, values) : tx.run(record, [...values, past.from, past.to]);
}

// Locked here, marked by the next statement: that one sees whatever a settle or retry did to the row before it let go.
const lockLower: Statement = {
  name: "pending_deliveries_lock_lower",
  text: `select b.webhook_id, b.video_id, b.sequence, o.place::text as place
    from json_to_recordset($1::json) as b(space_id uuid, webhook_id uuid, video_id text, sequence integer)
    cross join lateral (
      select o.ctid as place from pending_deliveries o
      where o.space_id = b.space_id and o.webhook_id = b.webhook_id and o.video_id = b.video_id
        and o.sequence < b.sequence
      order by o.sequence desc limit 1 for no key update) o`,
};
const markFollowed: Statement = {
  name: "pending_deliveries_mark_followed",
  text: "update pending_deliveries set followed = true where ctid = any($1::tid[]) and not followed",
};

/** Marks the delivery that each of these waits for. @returns those for which there was none any more */
export async function followOpen(tx: Sql, blocked: PendingDelivery[]): Promise<PendingDelivery[]> {
  const found = await tx.run<PendingDelivery & { place: string }>(lockLower, [JSON.stringify(keysOf(blocked))]);
  if (found.length > 0) await tx.run(markFollowed, [found.map(({ place }) => place)]);
  const followed = new Set(found.map(keyOf));
  return blocked.filter((row) => !followed.has(keyOf(row)));
}

const release: Statement = {
  name: "pending_deliveries_unblock",
  text: `update pending_deliveries o set due_at = statement_timestamp()
    where o.space_id = $1 and o.webhook_id = $2 and o.video_id = $3 and o.sequence = $4 and not exists (
      select from pending_deliveries lower where lower.space_id = $1 and lower.webhook_id = $2 and lower.video_id = $3
        and lower.sequence < $4)
    returning 1`,
};

/** Makes those due that nothing earlier holds. @returns these */
export async function unblock(tx: Sql, blocked: PendingDelivery[]): Promise<PendingDelivery[]> {
  const free: PendingDelivery[] = [];
  for (const row of blocked) {
    const values = [row.space_id, row.webhook_id, row.video_id, row.sequence];
    if ((await tx.run(release, values)).length > 0) free.push(row);
  }
  return free;
}

function keysOf(rows: readonly PendingDelivery[]) {
  const keys = rows.map(({ space_id, webhook_id, video_id, sequence }) => ({
    space_id,
    webhook_id,
    video_id,
    sequence,
  }));
  return keys.sort(inLockOrder);
}

export interface EventRow {
  id: string;
  type: EventType;
  video_id: string | null;
  sequence: number;
  /** The frozen bytes; null where they were erased. */
  payload: string | null;
  erased_at: Date | null;
}

const EVENT = "id, type, video_id, sequence, payload, erased_at";
const get: Statement = {
  name: "event_get",
  text: `select ${EVENT} from events where space_id = $1 and id = $2`,
};

export async function getEvent(sql: Sql, space: string, id: string): Promise<EventRow | undefined> {
  return (await sql.run<EventRow>(get, [space, id]))[0];
}

/** Every video that is uploaded has these; they are in no index of types. */
export const COMMON_TYPES: ReadonlySet<EventType> = new Set(["video.created", "video.processing", "video.uploaded"]);
/** As the indexes of the other types are written. */
export const RARE = "type not in ('video.created', 'video.processing', 'video.uploaded')";

const AFTER = `(tx, id) > (coalesce((select tx from events where space_id = $1 and id = $2), '0'::xid8),
    coalesce($2, '00000000-0000-0000-0000-000000000000'::uuid))`;
// Not `$2 is null or …`: only a condition without alternatives can be where the index is entered.
const BEFORE = `(tx, id) < (case when $2::uuid is null then '18446744073709551615'::xid8
      else (select tx from events where space_id = $1 and id = $2) end,
    coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid))`;
// What an open transaction may still put before them is left out, so that whoever goes on from the last one seen
// misses none.
const COMMITTED = "tx < pg_snapshot_xmin(pg_current_snapshot())";
const WAYS = {
  forward: { beyond: AFTER, order: "order by tx, id limit $5" },
  backward: { beyond: BEFORE, order: "order by tx desc, id desc limit $5" },
} as const;
type Way = keyof typeof WAYS;

/** Each way through the events, by the index that serves the filter. */
const LISTS = {
  // events_by_commit
  any: ({ beyond, order }: (typeof WAYS)[Way]) => `select ${EVENT} from events
    where space_id = $1 and ${beyond} and ${COMMITTED}
      and ($3::text[] is null or type = any($3)) and ($4::text is null or video_id = $4) ${order}`,
  // events_by_video: few rows, then sorted. `offset 0`: else the planner hopes to meet them early on its way in order
  video: ({ beyond, order }: (typeof WAYS)[Way]) => `select ${EVENT} from (select ${EVENT}, tx from events
    where space_id = $1 and video_id = $4 and ($3::text[] is null or type = any($3)) offset 0) of_video
    where ${beyond} and ${COMMITTED} ${order}`,
  // events_by_rare_type, each type for itself
  rare: ({ beyond, order }: (typeof WAYS)[Way]) => `select ${EVENT} from unnest($3::text[]) as wanted
    cross join lateral (select ${EVENT}, tx from events where space_id = $1 and type = wanted
      and ${RARE} and ${beyond} and ${COMMITTED}
      and $4::text is null ${order}) found ${order}`,
} as const;
type Listed = keyof typeof LISTS;

const lists = Object.fromEntries(
  (Object.keys(LISTS) as Listed[]).flatMap((by) =>
    (Object.keys(WAYS) as Way[]).map((way): [string, Statement] => [
      `${by} ${way}`,
      { name: `events_list_${by}_${way}`, text: LISTS[by](WAYS[way]) },
    ]),
  ),
) as Record<`${Listed} ${Way}`, Statement>;

export interface EventFilter {
  types: readonly EventType[] | null;
  video: string | null;
}

/** Events in the order of their commits, on from `after` (from the first where it is null). */
export function listEventsForward(
  sql: Sql,
  space: string,
  filter: EventFilter,
  after: string | null,
  limit: number,
): Promise<EventRow[]> {
  return listEvents(sql, "forward", [space, after, filter, limit]);
}

/** Events in the opposite order, back from `before` (from the newest where it is null). */
export function listEventsBackward(
  sql: Sql,
  space: string,
  filter: EventFilter,
  before: string | null,
  limit: number,
): Promise<EventRow[]> {
  return listEvents(sql, "backward", [space, before, filter, limit]);
}

function listEvents(sql: Sql, way: Way, [space, cursor, filter, limit]: [string, string | null, EventFilter, number]) {
  const { types, video } = filter;
  const rare = types?.every((type) => !COMMON_TYPES.has(type));
  const by = video !== null ? "video" : rare ? "rare" : "any";
  const chosen = types === null ? null : [...new Set(types)]; // a type asked for twice is not listed twice
  return sql.run<EventRow>(lists[`${by} ${way}`], [space, cursor, chosen, video, limit]);
}
