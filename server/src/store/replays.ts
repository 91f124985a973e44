import type { EventType } from "../kernel/event-catalog.ts";
import type { Sql, Statement } from "./db.ts";
import type { FinishedStatus } from "./history.ts";

export type ReplayStatus = "running" | "paused" | "done" | "canceled";

/** How an event's delivery to the webhook ended; `never`: the event had none. */
export type ReplayedStatus = FinishedStatus | "never";

export interface ReplayRow {
  space_id: string;
  id: string;
  webhook_id: string;
  since: Date;
  until: Date;
  statuses: ReplayedStatus[] | null;
  types: EventType[] | null;
  video_id: string | null;
  rate: number | null;
  status: ReplayStatus;
  total: number;
  done: number;
  cursor_id: string | null;
  first_at: Date | null;
  last_at: Date | null;
  reason: string | null;
  created_at: Date;
  finished_at: Date | null;
}

/** Which events a replay is about. */
export interface ReplayFilter {
  space: string;
  webhook: string;
  since: Date;
  until: Date;
  statuses: readonly string[] | null;
  types: readonly string[] | null;
  video: string | null;
}

// An event's id has its time, so a time range is a range of events_pkey; one video's are found by events_by_video.
// Events without a video were for one webhook only: they are replayed to no other. Those erased have nothing to send.
const chosen = (finished: string) => `from webhooks w join events e on e.space_id = w.space_id
    left join ${finished}
  where w.space_id = $1 and w.id = $2 and e.id >= id_floor($3) and e.id < id_floor($4)
    and e.type = any(coalesce($6::text[], w.events)) and ($7::text is null or e.video_id = $7)
    and ($5::text[] is null or coalesce(d.status, 'never') = any($5)) and (e.sequence > 0 or d.id is not null)
    and e.payload is not null`;

// All at once, for a whole range. Or row by row, each in its event's day: for one page the planner would else sometimes
// read all that its space ever delivered.
const FINISHED = "deliveries d on d.space_id = e.space_id and d.id = delivery_id(e.id, w.id)";
const FINISHED_EACH = `lateral (select id, status from deliveries f
      where f.space_id = e.space_id and f.id = delivery_id(e.id, w.id) offset 0) d on true`;

const valuesOf = ({ space, webhook, since, until, statuses, types, video }: ReplayFilter) => [
  space,
  webhook,
  since,
  until,
  statuses,
  types,
  video,
];

const count: Statement = {
  name: "replays_count",
  text: `select count(*)::int as total, min(e.created_at) as first_at, max(e.created_at) as last_at ${chosen(FINISHED)}
    and not exists (select from pending_deliveries o where uuid_send(o.space_id) = uuid_send(e.space_id) and o.id = delivery_id(e.id, w.id))`,
};

export interface ReplayCount {
  total: number;
  first_at: Date | null;
  last_at: Date | null;
}

/** How many events a replay would be about; those that are being delivered anyway do not count. */
export async function countReplay(sql: Sql, filter: ReplayFilter): Promise<ReplayCount> {
  return (await sql.run<ReplayCount>(count, valuesOf(filter)))[0]!;
}

const REPLAY = `r.space_id, r.id, r.webhook_id, r.since, r.until, r.statuses, r.types, r.video_id, r.rate, r.status, r.total,
  r.done, r.cursor_id, r.first_at, r.last_at, r.reason, r.created_at, r.finished_at`;

// Whoever records an event holds this lock before it looks for webhooks, and until its end.
const RECORDING = `from pg_locks l where l.locktype = 'relation' and l.relation = 'events'::regclass
    and l.database = (select oid from pg_database where datname = current_database())
    and l.mode = 'RowExclusiveLock'`;

const insert: Statement = {
  name: "replays_insert",
  text: `insert into replays as r (space_id, webhook_id, since, until, statuses, types, video_id, id, rate, total, first_at, last_at,
      created_by, awaits)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, array(select l.virtualtransaction ${RECORDING}))
    returning ${REPLAY}`,
};

/** It awaits the end of those transactions that record events just now: they may not have seen its webhook. */
export async function insertReplay(
  tx: Sql,
  filter: ReplayFilter,
  { total, first_at, last_at }: ReplayCount,
  { id, rate, by }: { id: string; rate: number | null; by: string | null },
): Promise<ReplayRow> {
  const values = [...valuesOf(filter), id, rate, total, first_at, last_at, by];
  return (await tx.run<ReplayRow>(insert, values))[0]!;
}

const get: Statement = {
  name: "replays_get",
  text: `select ${REPLAY} from replays r where space_id = $1 and id = $2`,
};

export async function getReplay(sql: Sql, space: string, id: string): Promise<ReplayRow | undefined> {
  return (await sql.run<ReplayRow>(get, [space, id]))[0];
}

// By replays_listed.
const LISTED = `select ${REPLAY} from replays r where space_id = $1 and ($2::uuid is null or webhook_id = $2)`;
const listAfter: Statement = {
  name: "replays_list_after",
  text: `${LISTED} and ($3::uuid is null or id < $3) order by id desc limit $4`,
};
const listBefore: Statement = { name: "replays_list_before", text: `${LISTED} and id > $3 order by id limit $4` };

/** Newest first, those older than the cursor. */
export async function listReplaysAfter(
  sql: Sql,
  space: string,
  webhook: string | null,
  cursor: string | null,
  limit: number,
): Promise<ReplayRow[]> {
  return sql.run(listAfter, [space, webhook, cursor, limit]);
}

/** Oldest first, those newer than the cursor. */
export async function listReplaysBefore(
  sql: Sql,
  space: string,
  webhook: string | null,
  cursor: string,
  limit: number,
): Promise<ReplayRow[]> {
  return sql.run(listBefore, [space, webhook, cursor, limit]);
}

const change: Statement = {
  name: "replays_change",
  text: `update replays r set status = $3, reason = $4, total = case when $3 = 'done' then done else total end,
      finished_at = case when $3 in ('done', 'canceled') then now() end
    where space_id = $1 and id = $2 and status in ('running', 'paused') returning ${REPLAY}`,
};

/** One that is done was about what it opened. @returns undefined where it has ended already, or there is none */
export async function changeReplay(
  tx: Sql,
  space: string,
  id: string,
  status: ReplayStatus,
  reason: string | null = null,
): Promise<ReplayRow | undefined> {
  return (await tx.run<ReplayRow>(change, [space, id, status, reason]))[0];
}

// By replays_running. Locked for the round: other nodes take other replays.
const next: Statement = {
  name: "replays_next",
  text: `select ${REPLAY}, extract(epoch from now() - r.advanced_at)::float8 as idle_s, w.id is null as orphaned,
      (select count(*)::int from pending_deliveries o where o.replay_id = r.id) as open,
      r.cursor_id is null and exists (select ${RECORDING} and l.virtualtransaction = any(r.awaits)) as waits
    from replays r left join webhooks w on w.space_id = r.space_id and w.id = r.webhook_id
    where r.status = 'running' and r.id > $1 order by r.id limit 1 for update of r skip locked`,
};

export interface RunningReplay extends ReplayRow {
  /** Seconds since it last opened deliveries. */
  idle_s: number;
  /** Its deliveries that are open. */
  open: number;
  /** It has not begun: a transaction that may have recorded events for it is not over. */
  waits: boolean;
  /** Its webhook is gone. */
  orphaned: boolean;
}

/** The running replay after that id, locked until the transaction ends; another node's is left out. */
export async function lockNextReplay(tx: Sql, after: string): Promise<RunningReplay | undefined> {
  return (await tx.run<RunningReplay>(next, [after]))[0];
}

const page: Statement = {
  name: "replays_page",
  text: `select e.id ${chosen(FINISHED_EACH)} and ($8::uuid is null or e.id > $8) order by e.id limit $9`,
};

/** The ids of the next events to replay, in the order in which they happened. */
export async function nextReplayed(
  tx: Sql,
  filter: ReplayFilter,
  cursor: string | null,
  limit: number,
): Promise<string[]> {
  return (await tx.run<{ id: string }>(page, [...valuesOf(filter), cursor, limit])).map(({ id }) => id);
}

const advance: Statement = {
  name: "replays_advance",
  text: `update replays set done = done + $3, total = greatest(total, done + $3), cursor_id = $4, advanced_at = now()
    where space_id = $1 and id = $2`,
};

/**
 * Remembers how far the replay is: in the transaction that opened its deliveries, so that none is opened twice. Its total
 * is what it was about when it was counted; what ended since then is added, so that it is never exceeded.
 */
export async function advanceReplay(tx: Sql, replay: ReplayRow, opened: number, cursor: string): Promise<void> {
  await tx.run(advance, [replay.space_id, replay.id, opened, cursor]);
}
