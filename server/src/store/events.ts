import type { EventType } from "../kernel/event-catalog.ts";
import type { Sql, Statement } from "./db.ts";

export interface EventRow {
  id: string;
  type: EventType;
  video_id: string | null;
  sequence: number;
  /** The payload exactly as recorded; null if it was erased. */
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

/** Every uploaded video has events of these types, so indexes by type exclude them. */
export const COMMON_TYPES: ReadonlySet<EventType> = new Set(["video.created", "video.processing", "video.uploaded"]);
/** The predicate of the indexes by type, which contain all other types. */
export const RARE = "type not in ('video.created', 'video.processing', 'video.uploaded')";

const AFTER = `(tx, id) > (coalesce((select tx from events where space_id = $1 and id = $2), '0'::xid8),
    coalesce($2, '00000000-0000-0000-0000-000000000000'::uuid))`;
// This is not written as `$2 is null or …`, because an index scan cannot start from a condition with `or`.
const BEFORE = `(tx, id) < (case when $2::uuid is null then '18446744073709551615'::xid8
      else (select tx from events where space_id = $1 and id = $2) end,
    coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid))`;
// Excludes the newest events while a running transaction may still insert events before them, so that a reader that
// continues from the last event it has seen misses none.
const COMMITTED = "tx < pg_snapshot_xmin(pg_current_snapshot())";
const WAYS = {
  forward: { beyond: AFTER, order: "order by tx, id limit $5" },
  backward: { beyond: BEFORE, order: "order by tx desc, id desc limit $5" },
} as const;
type Way = keyof typeof WAYS;

/** Functions that build the list statement for a direction, one for each index that can serve a filter. */
const LISTS = {
  // events_by_commit
  any: ({ beyond, order }: (typeof WAYS)[Way]) => `select ${EVENT} from events
    where space_id = $1 and ${beyond} and ${COMMITTED}
      and ($3::text[] is null or type = any($3)) and ($4::text is null or video_id = $4) ${order}`,
  // events_by_video: reads the video's few rows, then sorts them. Without `offset 0`, the planner would scan all
  // events, expecting to find matches early.
  video: ({ beyond, order }: (typeof WAYS)[Way]) => `select ${EVENT} from (select ${EVENT}, tx from events
    where space_id = $1 and video_id = $4 and ($3::text[] is null or type = any($3)) offset 0) of_video
    where ${beyond} and ${COMMITTED} ${order}`,
  // events_by_rare_type, one scan per type
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

/** Lists the events after `after` in commit order, starting with the oldest if `after` is null. */
export function listEventsForward(
  sql: Sql,
  space: string,
  filter: EventFilter,
  after: string | null,
  limit: number,
): Promise<EventRow[]> {
  return listEvents(sql, "forward", [space, after, filter, limit]);
}

/** Lists the events before `before` in reverse commit order, starting with the newest if `before` is null. */
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
  const chosen = types === null ? null : [...new Set(types)]; // so that a repeated type does not list its events twice
  return sql.run<EventRow>(lists[`${by} ${way}`], [space, cursor, chosen, video, limit]);
}
