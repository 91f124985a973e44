import type { Sql, Statement } from "./db.ts";

export interface QueueDepth {
  due: number;
  /** Waiting for their retry, or for an earlier event of their video. */
  later: number;
  /** Of webhooks that are paused or disabled. */
  held: number;
  /** Seconds; 0 where nothing is due. */
  oldest_due_s: number;
}

/** Reads the whole queue: it is as small as the backlog, and asked for once in a scrape. */
const MEASURE: Statement = {
  name: "queue_depth",
  text: `select count(*) filter (where enabled and due_at <= now()) as due,
      count(*) filter (where enabled and due_at > now()) as later,
      count(*) filter (where not enabled) as held,
      coalesce(extract(epoch from now() - min(due_at) filter (where enabled and due_at <= now() and due_at > '-infinity')), 0)::float8 as oldest_due_s
    from (select o.due_at, w.status = 'enabled' as enabled
      from open_deliveries o join webhooks w on w.space_id = o.space_id and w.id = o.webhook_id) as open`,
};

export async function measureQueue(sql: Sql): Promise<QueueDepth> {
  return (await sql.run<QueueDepth>(MEASURE))[0]!;
}
