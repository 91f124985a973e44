import type { ReplayRow, ReplayStatus } from "../delivery/replay.ts";
import type { Sql, Statement } from "./db.ts";
import type { PendingDelivery } from "./events.ts";

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
const FINISHED_EACH = `lateral (select id, status, previous, attempts from deliveries f
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

// By pending_deliveries_by_replay. What it has opened and is not being sent: back into the history as it was, or canceled where
// there was none, and no longer done.
const cancelOpened: Statement = {
  name: "replays_cancel_opened",
  text: `with gone as (
      delete from pending_deliveries where replay_id = $1 and leased_until < now() returning *
    ), taken_back as (
      update replays set done = done - (select count(*) from gone)
      where (space_id, id) in (select space_id, replay_id from gone)
    )
    insert into deliveries (space_id, id, webhook_id, event_id, type, video_id, sequence, previous, status, reason, attempts)
    select space_id, id, webhook_id, event_id, type, case when sequence > 0 then video_id end, sequence, previous,
      'canceled', 'Its replay was canceled.', attempt from gone
    on conflict (space_id, id) do update set attempts = greatest(deliveries.attempts, excluded.attempts)`,
};

/** Attempts made meanwhile are counted in the history, so that a later one does not bear an old number. */
export async function cancelReplayed(tx: Sql, replay: string): Promise<void> {
  await tx.run(cancelOpened, [replay]);
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

// A finished delivery is opened again and counts its attempts on; an event that had none gets its delivery. Those open
// already are left alone. Events are locked against an erasure, in the order of their ids as that does. What waits for an earlier event of its video, open or in this page, is not due.
const open: Statement = {
  name: "replays_open",
  text: `with page as materialized (
      select e.space_id, e.id as event_id, e.type, coalesce(e.video_id, e.id::text) as video_id, e.sequence, w.ordering,
        delivery_id(e.id, w.id) as id, d.previous, coalesce(d.attempts, 0) as attempts
      from events e join webhooks w on w.space_id = e.space_id and w.id = $2
      left join ${FINISHED_EACH}
      where e.space_id = $1 and e.id = any($3::uuid[]) and e.payload is not null
      order by e.id for share of e
    )
    insert into pending_deliveries (space_id, webhook_id, video_id, sequence, id, event_id, type, previous, attempt, due_at,
      replay_id)
    select p.space_id, $2, p.video_id, p.sequence, p.id, p.event_id, p.type,
      coalesce(p.previous, case when p.sequence > 1 then greatest(
        (select max(l.sequence) from page l where l.video_id = p.video_id and l.sequence < p.sequence),
        (select max(l.sequence) from pending_deliveries l where l.space_id = $1 and l.webhook_id = $2
          and l.video_id = p.video_id and l.sequence < p.sequence),
        (select max(l.sequence) from deliveries l where l.space_id = $1 and l.webhook_id = $2
          and l.video_id = p.video_id and l.sequence < p.sequence)) end, 0),
      p.attempts,
      case when p.ordering = 'video' and p.sequence > 1 and (
          exists (select from page l where l.video_id = p.video_id and l.sequence < p.sequence)
          or exists (select from pending_deliveries l where l.space_id = $1 and l.webhook_id = $2
            and l.video_id = p.video_id and l.sequence < p.sequence))
        then 'infinity' else statement_timestamp() end,
      $4
    from page p order by p.video_id, p.sequence
    on conflict do nothing
    returning space_id, webhook_id, video_id, sequence, id, event_id, type, previous, attempt, step,
      due_at = 'infinity' as blocked`,
};

// One that was just being settled is opened after that, by a statement that has not seen how it ended. This one has.
const countOn: Statement = {
  name: "replays_count_on",
  text: `update pending_deliveries o set attempt = d.attempts from deliveries d
    where uuid_send(o.space_id) = uuid_send($1::uuid) and o.id = any($2::uuid[])
      and d.space_id = o.space_id and d.id = o.id and d.attempts > o.attempt`,
};

/** Opens the deliveries of these events, each to go on with the attempt after its last. @returns those that it opened */
export async function openReplayed(
  tx: Sql,
  { space_id, webhook_id, id }: ReplayRow,
  events: readonly string[],
): Promise<PendingDelivery[]> {
  const opened = await tx.run<PendingDelivery>(open, [space_id, webhook_id, events, id]);
  await tx.run(countOn, [space_id, opened.map((row) => row.id)]);
  return opened;
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
