import type { Sql, Statement } from "../db.ts";
import { PENDING_STATUS } from "./status.ts";

export const QUEUE_STATES = ["due", "sending", "retrying", "waiting", "held"] as const;
export type QueueState = (typeof QUEUE_STATES)[number];

/** Pending deliveries across all webhooks. */
export interface QueueDepth {
  counts: Record<QueueState, number>;
  /** Age of each state's oldest event, in seconds; 0 if no delivery is in that state. */
  oldest_s: Record<QueueState, number>;
  /** How long the most overdue delivery has been due, in seconds; 0 if none is due. */
  overdue_s: number;
}

interface Row {
  state: QueueState;
  count: number;
  /** The timestamp part of the smallest id: milliseconds in hexadecimal, as `xxxxxxxx-xxxx`. */
  oldest: string;
  overdue_s: number;
  now_ms: number;
}

/**
 * Reads the whole queue. No index can serve this, but the table is only as large as the backlog, and it is read only
 * once per scrape.
 */
const measure: Statement = {
  name: "queue_depth",
  text: `select state, count(*), min(left(id::text, 13) collate "C") as oldest,
      extract(epoch from now() - min(due_at) filter (where state = 'due' and due_at > '-infinity'))::float8 as overdue_s,
      extract(epoch from now())::float8 * 1000 as now_ms
    from (select id, due_at, case when status in ('waiting', 'retrying') and due_at <= now() then 'due' else status end as state
      from (select o.id, o.due_at, ${PENDING_STATUS} as status
        from pending_deliveries o join webhooks w on w.space_id = o.space_id and w.id = o.webhook_id) pending) by_state
    group by state`,
};

export async function measureQueue(sql: Sql): Promise<QueueDepth> {
  const none = () => Object.fromEntries(QUEUE_STATES.map((state) => [state, 0])) as Record<QueueState, number>;
  const depth: QueueDepth = { counts: none(), oldest_s: none(), overdue_s: 0 };
  for (const { state, count, oldest, overdue_s, now_ms } of await sql.run<Row>(measure)) {
    depth.counts[state] = count;
    depth.oldest_s[state] = Math.max(0, (now_ms - Number.parseInt(oldest.replace("-", ""), 16)) / 1000);
    depth.overdue_s = Math.max(depth.overdue_s, overdue_s ?? 0);
  }
  return depth;
}
