import type { Sql, Statement } from "../db.ts";

export const QUEUE_STATES = ["due", "sending", "retrying", "waiting", "held"] as const;
export type QueueState = (typeof QUEUE_STATES)[number];

/** The open deliveries of every webhook together. */
export interface QueueDepth {
  counts: Record<QueueState, number>;
  /** How old the oldest one's event is, seconds; 0 where there is none. */
  oldest_s: Record<QueueState, number>;
  /** How long the one that is overdue longest has been due, seconds; 0 where none is. */
  overdue_s: number;
}

interface Row {
  state: QueueState;
  count: number;
  /** The time in the smallest id, as it is written: `xxxxxxxx-xxxx`, milliseconds. */
  oldest: string;
  overdue_s: number;
  now_ms: number;
}

/** Reads the whole queue: no index could count it, it is as small as the backlog, and it is asked for once in a scrape. */
const MEASURE: Statement = {
  name: "queue_depth",
  text: `select state, count(*), min(left(id::text, 13) collate "C") as oldest,
      extract(epoch from now() - min(due_at) filter (where state = 'due' and due_at > '-infinity'))::float8 as overdue_s,
      extract(epoch from now())::float8 * 1000 as now_ms
    from (select o.id, o.due_at, case
        when o.leased_until > now() then 'sending'
        when w.status <> 'enabled' then 'held'
        when o.due_at <= now() then 'due'
        when o.due_at = 'infinity' or o.attempt = 0 then 'waiting'
        else 'retrying' end as state
      from pending_deliveries o join webhooks w on w.space_id = o.space_id and w.id = o.webhook_id) as open
    group by state`,
};

export async function measureQueue(sql: Sql): Promise<QueueDepth> {
  const none = () => Object.fromEntries(QUEUE_STATES.map((state) => [state, 0])) as Record<QueueState, number>;
  const depth: QueueDepth = { counts: none(), oldest_s: none(), overdue_s: 0 };
  for (const { state, count, oldest, overdue_s, now_ms } of await sql.run<Row>(MEASURE)) {
    depth.counts[state] = count;
    depth.oldest_s[state] = Math.max(0, (now_ms - Number.parseInt(oldest.replace("-", ""), 16)) / 1000);
    depth.overdue_s = Math.max(depth.overdue_s, overdue_s ?? 0);
  }
  return depth;
}
