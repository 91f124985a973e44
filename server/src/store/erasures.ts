import type { Sql, Statement } from "./db.ts";

const state: Statement = {
  name: "erasures_video",
  text: "select deleted_at is not null as deleted from videos where space_id = $1 and id = $2",
};

/** @returns undefined if the space has never had this video */
export async function findErasable(sql: Sql, space: string, video: string): Promise<{ deleted: boolean } | undefined> {
  return (await sql.run<{ deleted: boolean }>(state, [space, video]))[0];
}

// Served by events_by_video. All statements lock events in id order. A transaction that reopens a delivery locks the
// delivery's event in share mode, so it either commits before the pending deliveries are counted below, or finds no
// payload.
const lock: Statement = {
  name: "erasures_lock_events",
  text: `select id from events where space_id = $1 and video_id = $2 and payload is not null
    order by id limit $3 for no key update`,
};

/**
 * Finds the video's next events that still have payloads, and locks them until the transaction ends.
 * @returns their ids
 */
export async function lockErasable(tx: Sql, space: string, video: string, limit: number): Promise<string[]> {
  return (await tx.run<{ id: string }>(lock, [space, video, limit])).map(({ id }) => id);
}

// Finds each event's deliveries through pending_deliveries_by_id, because their ids start with the first half of the
// event's id. The count includes a deleted webhook's deliveries until the sweeper cancels them.
const pending: Statement = {
  name: "erasures_count_pending",
  text: `select count(*)::int as pending from events e
    join pending_deliveries o on uuid_send(o.space_id) = uuid_send($1::uuid) and o.event_id = e.id
      and o.id between (left(e.id::text, 18) || '-0000-000000000000')::uuid and (left(e.id::text, 18) || '-ffff-ffffffffffff')::uuid
    where e.space_id = $1 and e.video_id = $2 and ($3::uuid[] is null or e.id = any($3))`,
};

/** Counts the pending deliveries of these events, or of all the video's events if `events` is null. */
export async function countPendingOf(sql: Sql, space: string, video: string, events: readonly string[] | null) {
  return (await sql.run<{ pending: number }>(pending, [space, video, events]))[0]!.pending;
}

const events: Statement = {
  name: "erasures_events",
  text: "update events set payload = null, erased_at = now() where space_id = $1 and id = any($2::uuid[])",
};

export async function eraseEvents(tx: Sql, space: string, ids: readonly string[]): Promise<void> {
  await tx.run(events, [space, ids]);
}

// Walks deliveries_by_video and looks up attempts in attempts_pkey. A delivery's id determines the partition of its
// attempts.
const attempts: Statement = {
  name: "erasures_attempts",
  text: `with slice as materialized (
      select id, webhook_id, sequence from deliveries
      where space_id = $1 and video_id = $2 and (webhook_id, sequence) > ($3::uuid, $4::integer)
      order by webhook_id, sequence limit $5
    ), erased as (
      update attempts set request_headers = null, response_headers = null, response_body = null
      where space_id = $1 and delivery_id = any(array(select id from slice))
        and (request_headers is not null or response_headers is not null or response_body is not null)
      returning 1
    )
    select webhook_id, sequence, (select count(*)::int from erased) as erased from slice
    order by webhook_id desc, sequence desc limit 1`,
};

/** The current position in a walk through a video's deliveries. */
export interface ErasurePlace {
  webhook_id: string;
  sequence: number;
}

/**
 * Erases the headers and bodies from the attempts of the next `limit` deliveries.
 * @returns the last of these deliveries and how many attempts were erased; undefined if no deliveries are left
 */
export async function eraseAttempts(
  sql: Sql,
  space: string,
  video: string,
  { webhook_id, sequence }: ErasurePlace,
  limit: number,
): Promise<(ErasurePlace & { erased: number }) | undefined> {
  return (await sql.run<ErasurePlace & { erased: number }>(attempts, [space, video, webhook_id, sequence, limit]))[0];
}

const names: Statement = {
  name: "erasures_names",
  text: `with uploaded as (
      update uploads set file_name = null, error_message = null where space_id = $1 and video_id = $2
        and (file_name is not null or error_message is not null)
    )
    update videos set name = null, metadata = '{}', error_message = null where space_id = $1 and id = $2`,
};

/** Erases a video's name, metadata and error message, and the file names and error messages of its uploads. */
export async function eraseNames(tx: Sql, space: string, video: string): Promise<void> {
  await tx.run(names, [space, video]);
}
