import type pg from "pg";
import { pause } from "../../server/src/kernel/clock.ts";
import type { Database } from "../../server/src/store/db.ts";

/** The result of simulated work. */
export interface Work {
  /** The number of completed rounds. Each round records events, then claims, settles and lists deliveries. */
  rounds: number;
  /** The longest observed wait for a lock, in milliseconds. */
  waited_ms: number;
}

const NODES = 4;

/**
 * Simulates the work of baseline nodes on separate connections until it is stopped. It uses its own statements, because
 * the product's statements may need the newest migration. If a statement fails, `stop` throws its error.
 */
export function startWork(db: Database, space: string, webhook: string): { stop(): Promise<Work> } {
  let [isRunning, rounds] = [true, 0];
  const round = async (client: pg.Client): Promise<void> => {
    for (const step of STEPS) await client.query(step, [space, webhook]);
    rounds += 1;
    await pause(10); // this is not a load test
  };
  const node = async (): Promise<void> => {
    const client = await db.connect();
    await client.query("set application_name = 'node'");
    try {
      while (isRunning) await round(client);
    } finally {
      await client.end();
    }
  };
  const work = Promise.all(Array.from({ length: NODES }, node));
  work.catch(() => {}); // `stop` throws the error
  const watching = watch(db, () => isRunning);
  return {
    async stop() {
      isRunning = false;
      await work;
      return { rounds, waited_ms: await watching };
    },
  };
}

async function watch(db: Database, isRunning: () => boolean): Promise<number> {
  let longest = 0;
  while (isRunning()) {
    const [row] = await db.run<{ ms: number }>(WAITED);
    longest = Math.max(longest, row!.ms);
    await pause(10);
  }
  return Math.round(longest);
}

const WAITED = {
  name: "test_waited",
  text: `select coalesce(max(extract(epoch from clock_timestamp() - query_start) * 1000), 0)::float8 as ms
    from pg_stat_activity where application_name = 'node' and wait_event_type = 'Lock'`,
};

const RECORD = `with event as (
    insert into events (space_id, id, type, video_id, sequence, payload)
    select $1::uuid, overlay(gen_random_uuid()::text placing left(id_floor(now())::text, 14) from 1 for 14)::uuid,
      'video.created', left(gen_random_uuid()::text, 8), 1, '{}' from generate_series(1, 5)
    returning id, type, video_id, sequence
  )
  insert into pending_deliveries (space_id, webhook_id, video_id, sequence, id, event_id, type, previous, due_at)
  select $1, $2::uuid, video_id, sequence, id, id, type, 0, now() from event`;

const CLAIM = `update pending_deliveries set attempt = attempt + 1, leased_until = now() + interval '30 s', leased_by = 1
  where ctid = any(array(select ctid from pending_deliveries where space_id = $1::uuid and webhook_id = $2::uuid
    and due_at <= now() and leased_until < now() order by due_at limit 5 for update skip locked))`;

const SETTLE = `with ended as (
    delete from pending_deliveries where ctid = any(array(select ctid from pending_deliveries where space_id = $1::uuid
      and webhook_id = $2::uuid and attempt > 0 limit 5 for update skip locked))
    returning space_id, id, webhook_id, event_id, type, video_id, sequence, previous, attempt
  ), logged as (
    insert into attempts (space_id, delivery_id, attempt, outcome, started_at, url, response_status)
    select space_id, id, attempt, 'succeeded', now(), 'https://receiver.example.com/', 200 from ended
  )
  insert into deliveries (space_id, id, webhook_id, event_id, type, video_id, sequence, previous, status, attempts)
  select space_id, id, webhook_id, event_id, type, video_id, sequence, previous, 'succeeded', attempt from ended
  on conflict do nothing`;

const LIST = `select id, status from deliveries where space_id = $1::uuid and webhook_id = $2::uuid order by id desc limit 20`;

const STEPS = [RECORD, CLAIM, SETTLE, LIST];
