import type { EventType } from "../kernel/event-catalog.ts";
import type { Sql, Statement } from "./db.ts";
import type { FinishedStatus } from "./history.ts";

/**
 * The states of a replay:
 *
 *     running ⇄ paused ──canceled by a user──▶ canceled
 *        └──no events left──▶ done
 */
export type ReplayStatus = "running" | "paused" | "done" | "canceled";

/** How the event's delivery to the replay's webhook ended, or `never` if there was no such delivery. */
export type ReplayedStatus = FinishedStatus | "never";

/**
 * Which events a replay delivers again. A null field matches everything, except that null `types` means the types that
 * the webhook receives.
 */
export interface ReplayFilter {
  webhook_id: string;
  since: Date;
  until: Date;
  statuses: ReplayedStatus[] | null;
  types: EventType[] | null;
  video_id: string | null;
}

export interface ReplayCount {
  total: number;
  first_at: Date | null;
  last_at: Date | null;
}

export interface ReplayRow extends ReplayFilter, ReplayCount {
  space_id: string;
  id: string;
  rate: number | null;
  status: ReplayStatus;
  done: number;
  cursor_id: string | null;
  reason: string | null;
  created_at: Date;
  finished_at: Date | null;
}

// An event's id contains its time, so events_pkey serves a time range; events_by_video serves a video filter. Events
// without a video belong to one webhook and are not replayed to any other. Erased events have no payload to send.
const chosen = (finished: string) => `from webhooks w join events e on e.space_id = w.space_id
    left join ${finished}
  where w.space_id = $1 and w.id = $2 and e.id >= id_floor($3) and e.id < id_floor($4)
    and e.type = any(coalesce($6::text[], w.events)) and ($7::text is null or e.video_id = $7)
    and ($5::text[] is null or coalesce(d.status, 'never') = any($5)) and (e.sequence > 0 or d.id is not null)
    and e.payload is not null`;

// FINISHED joins a whole range at once. FINISHED_EACH looks up each delivery in its event's daily partition, because
// the planner would otherwise sometimes read the space's whole history for a single page.
const FINISHED = "deliveries d on d.space_id = e.space_id and d.id = delivery_id(e.id, w.id)";
const FINISHED_EACH = `lateral (select id, status from deliveries f
      where f.space_id = e.space_id and f.id = delivery_id(e.id, w.id) offset 0) d on true`;

const valuesOf = (space: string, { webhook_id, since, until, statuses, types, video_id }: ReplayFilter) => [
  space,
  webhook_id,
  since,
  until,
  statuses,
  types,
  video_id,
];

const count: Statement = {
  name: "replays_count",
  text: `select count(*)::int as total, min(e.created_at) as first_at, max(e.created_at) as last_at ${chosen(FINISHED)}
    and not exists (select from pending_deliveries o where uuid_send(o.space_id) = uuid_send(e.space_id) and o.id = delivery_id(e.id, w.id))`,
};

/** Counts the events that a replay would deliver again, except events whose delivery is already pending. */
export async function countReplay(sql: Sql, space: string, filter: ReplayFilter): Promise<ReplayCount> {
  return (await sql.run<ReplayCount>(count, valuesOf(space, filter)))[0]!;
}

const REPLAY = `r.space_id, r.id, r.webhook_id, r.since, r.until, r.statuses, r.types, r.video_id, r.rate, r.status, r.total,
  r.done, r.cursor_id, r.first_at, r.last_at, r.reason, r.created_at, r.finished_at`;

// A transaction that records an event takes this lock before it reads the webhooks, and holds it to the end.
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

/**
 * Inserts a replay. It does not start until every transaction that was recording events when it was inserted has
 * finished, because those transactions may not have seen the replay's webhook. They are listed in `awaits`.
 */
export async function insertReplay(
  tx: Sql,
  space: string,
  filter: ReplayFilter,
  { total, first_at, last_at }: ReplayCount,
  { id, rate, by }: { id: string; rate: number | null; by: string | null },
): Promise<ReplayRow> {
  const values = [...valuesOf(space, filter), id, rate, total, first_at, last_at, by];
  return (await tx.run<ReplayRow>(insert, values))[0]!;
}

const get: Statement = {
  name: "replays_get",
  text: `select ${REPLAY} from replays r where space_id = $1 and id = $2`,
};

export async function getReplay(sql: Sql, space: string, id: string): Promise<ReplayRow | undefined> {
  return (await sql.run<ReplayRow>(get, [space, id]))[0];
}

// Served by replays_listed.
const LISTED = `select ${REPLAY} from replays r where space_id = $1 and ($2::uuid is null or webhook_id = $2)`;
const listAfter: Statement = {
  name: "replays_list_after",
  text: `${LISTED} and ($3::uuid is null or id < $3) order by id desc limit $4`,
};
const listBefore: Statement = { name: "replays_list_before", text: `${LISTED} and id > $3 order by id limit $4` };

/** Lists replays older than the cursor, newest first. */
export async function listReplaysAfter(
  sql: Sql,
  space: string,
  webhook: string | null,
  cursor: string | null,
  limit: number,
): Promise<ReplayRow[]> {
  return sql.run(listAfter, [space, webhook, cursor, limit]);
}

/** Lists replays newer than the cursor, oldest first. */
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

/**
 * Changes a replay's status. When the replay finishes, its total becomes the number of reopened deliveries.
 * @returns undefined if the replay has already ended or does not exist
 */
export async function changeReplay(
  tx: Sql,
  space: string,
  id: string,
  status: ReplayStatus,
  reason: string | null = null,
): Promise<ReplayRow | undefined> {
  return (await tx.run<ReplayRow>(change, [space, id, status, reason]))[0];
}

// Served by replays_running. The row stays locked during the replay's step, and other nodes skip it.
const next: Statement = {
  name: "replays_next",
  text: `select ${REPLAY}, extract(epoch from now() - r.advanced_at)::float8 as idle_s, w.id is null as orphaned,
      (select count(*)::int from pending_deliveries o where o.replay_id = r.id) as pending,
      r.cursor_id is null and exists (select ${RECORDING} and l.virtualtransaction = any(r.awaits)) as is_waiting
    from replays r left join webhooks w on w.space_id = r.space_id and w.id = r.webhook_id
    where r.status = 'running' and r.id > $1 order by r.id limit 1 for update of r skip locked`,
};

export interface RunningReplay extends ReplayRow {
  /** Seconds since it last reopened deliveries. */
  idle_s: number;
  /** How many of its deliveries are pending. */
  pending: number;
  /** Whether a transaction that was recording events when the replay was created is still running. */
  is_waiting: boolean;
  /** Whether its webhook was deleted. */
  orphaned: boolean;
}

/**
 * Locks the next running replay after this id until the transaction ends. Replays that another node has locked are
 * skipped.
 */
export async function lockNextReplay(tx: Sql, after: string): Promise<RunningReplay | undefined> {
  return (await tx.run<RunningReplay>(next, [after]))[0];
}

const page: Statement = {
  name: "replays_page",
  text: `select e.id ${chosen(FINISHED_EACH)} and ($8::uuid is null or e.id > $8) order by e.id limit $9`,
};

/** Returns the ids of the next events to replay after the replay's cursor, oldest first. */
export async function nextReplayed(tx: Sql, replay: ReplayRow, limit: number): Promise<string[]> {
  const values = [...valuesOf(replay.space_id, replay), replay.cursor_id, limit];
  return (await tx.run<{ id: string }>(page, values)).map(({ id }) => id);
}

const advance: Statement = {
  name: "replays_advance",
  text: `update replays set done = done + $3, total = greatest(total, done + $3), cursor_id = $4, advanced_at = now()
    where space_id = $1 and id = $2`,
};

/**
 * Moves the cursor. This must run in the transaction that reopened the deliveries, so that none are reopened twice.
 * `total` was counted when the replay was created, so it misses deliveries that finished only later. It is raised if
 * necessary, so that `done` never exceeds it.
 */
export async function advanceReplay(tx: Sql, replay: ReplayRow, reopened: number, cursor: string): Promise<void> {
  await tx.run(advance, [replay.space_id, replay.id, reopened, cursor]);
}
