import type { Database } from "../../server/src/store/db.ts";

const EVENTS = `with event as materialized (
    select uuidv7() as id, 'B' || to_char($4::int + n, 'FM000000000') as video from generate_series(1, $3::int) as n
  ), recorded as (
    insert into events (space_id, id, type, video_id, sequence, payload)
    select $1, id, 'video.created', video, 1,
      format('{"id":"%s222222222222","object":"event","type":"video.created","created":1643723823,"data":%s}', video,
        json_build_object('id', video, 'object', 'video', 'name', repeat('Lecture 12: the cell membrane. ', 12)))
    from event
  )`;

const DUE = {
  name: "bench_due",
  text: `${EVENTS}
    insert into pending_deliveries (space_id, webhook_id, video_id, sequence, id, event_id, type, previous, due_at)
    select $1, $2, video, 1, id, id, 'video.created', 0, now() from event`,
};

const SUCCEEDED = {
  name: "bench_succeeded",
  text: `${EVENTS}
    insert into deliveries (space_id, webhook_id, video_id, sequence, id, event_id, type, previous, status, attempts)
    select $1, $2, video, 1, id, id, 'video.created', 0, 'succeeded', 1 from event`,
};

let videos = 0;

async function fill(db: Database, statement: typeof DUE, space: string, webhook: string, count: number) {
  await db.run(statement, [space, webhook, count, videos]);
  videos += count;
}

/**
 * Inserts due deliveries, as if their events had been recorded while the webhook was paused.
 * @param webhook the webhook's UUID
 */
export const fillDue = (db: Database, space: string, webhook: string, count: number) =>
  fill(db, DUE, space, webhook, count);

/** Inserts succeeded deliveries. @param webhook the webhook's UUID */
export const fillSucceeded = (db: Database, space: string, webhook: string, count: number) =>
  fill(db, SUCCEEDED, space, webhook, count);

export const removePending = (db: Database) =>
  db.run({ name: "bench_remove_pending", text: "truncate pending_deliveries" });
