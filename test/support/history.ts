import type { Database } from "../../server/src/store/db.ts";

export interface History {
  space: string;
  /** The first webhook gets most of the deliveries, and the last one gets few. */
  webhooks: string[];
  days: number;
}

/**
 * Fills the history tables with `rows` events, spread evenly over `days`, and analyzes the tables. Each event has one
 * delivery, usually to the first webhook, with one attempt. One delivery in 500 has failed, usually with a 503. One
 * delivery in 50,000 was canceled without an attempt. One event in 50,000 has a rare type, and one event in ten belongs
 * to another space.
 */
export async function fillHistory(db: Database, { space, webhooks, days }: History, rows: number): Promise<void> {
  const values = [space, webhooks, days, rows];
  await db.run({ name: "history_partitions", text: PARTITIONS }, [days]);
  await db.run({ name: "history_events", text: `${EVENTS} ${INSERT_EVENTS}` }, values);
  await db.run({ name: "history_deliveries", text: `${EVENTS} ${INSERT_DELIVERIES}` }, values);
  await db.run({ name: "history_attempts", text: ATTEMPTS });
  await db.run({ name: "history_analyze", text: "analyze events, deliveries, attempts" });
}

const PARTITIONS = `select make_partition(parent, key, (now() at time zone 'UTC')::date - ago)
  from (values ('events', 'id'), ('deliveries', 'id'), ('attempts', 'delivery_id')) parents (parent, key),
    generate_series(0, $1::int) ago`;

const EVENTS = `with made as (
    select n, case when n % 10 = 9 then '00000000-0000-4000-8000-0000000000ff'::uuid else $1::uuid end as space_id,
      (lpad(to_hex((extract(epoch from now()) * 1000)::bigint - ($4::bigint - n) * ($3::bigint * 86400000 / $4::bigint)), 12, '0')
        || '7' || lpad(to_hex(n & 4095), 3, '0') || 'a' || substr(md5(n::text), 1, 15))::uuid as id,
      case when n % 50000 = 7 then 'video.failed' when n % 3 = 0 then 'video.created' when n % 3 = 1 then 'video.processing'
        else 'video.uploaded' end as type,
      'v' || lpad((n / 30)::text, 9, '0') as video_id, (n / 3 % 10 + 1)::int as sequence,
      ($2::uuid[])[case when n % 100 < 90 then 1 when n % 1000 < 999 then 2 else 3 end] as webhook_id
    from generate_series(1, $4::bigint) n)`;

const INSERT_EVENTS = `insert into events (space_id, id, type, video_id, sequence, payload, tx)
  select space_id, id, type, video_id, sequence, '{}', (3 + n * 500 / $4::bigint)::text::xid8 from made`;

const INSERT_DELIVERIES = `insert into deliveries (space_id, id, webhook_id, event_id, type, video_id, sequence, previous,
    status, attempts, response_status, error, duration_ms)
  select space_id, (left(id::text, 18) || '-b' || substr(md5(n::text), 2, 3) || right(id::text, 13))::uuid, webhook_id, id,
    type, video_id, sequence, 0,
    case when n % 50000 = 11 then 'canceled' when n % 500 = 3 then 'failed' else 'succeeded' end, 1,
    case when n % 50000 = 11 then null when n % 50000 = 3 then 404 when n % 500 = 3 then 503 else 200 end, null, 20 from made`;

const ATTEMPTS = `insert into attempts (space_id, delivery_id, attempt, outcome, started_at, url, response_status, timings)
  select space_id, id, 1, status, finished_at, 'https://receiver.example.com/', response_status, '{"total":20}'
  from deliveries where status <> 'canceled'`;
