import type { Database, Statement } from "../db.ts";
import { byLockOrder, type DeliveryKey, HOLDS_LEASE, keyOf, type LeaseKey } from "./key.ts";
import { packedRows } from "./packed-rows.ts";

/** How one attempt ended: the lease to settle, and the values for the attempt log. */
export interface Settlement extends LeaseKey {
  outcome: "succeeded" | "retry" | "failed" | "canceled";
  /** For a retry: the delay, and the new step of the retry schedule. */
  delay_ms: number;
  step: number;
  /** For a retry: whether the delivery stays leased for an immediate second attempt. */
  immediate: boolean;
  /** For a cancellation: why the delivery was canceled. */
  reason: string | null;
  started_ms: number;
  duration_ms: number | null;
  /** Null if no request was made, in which case there is no attempt to log. */
  url: string | null;
  status: number | null;
  error: string | null;
  error_code: string | null;
  note: string | null;
  /** JSON strings. */
  timings: string | null;
  request_headers: string | null;
  response_headers: string | null;
  /** Base64. */
  response_body: string | null;
  response_bytes: number | null;
}

// The commit does not wait for the disk, because if a settle is lost, its delivery is merely repeated, which is
// allowed. The exception is a settle that leases the next attempt, whose number must not be used twice. Only nested
// loops are enabled, because after a vacuum that found the queue empty, the planner would otherwise scan whole indexes
// for its joins.
/** Transaction settings for a settle. Exported, like `SETTLE`, for the test that checks its plan. */
export const SETTLE_MODE: Statement = {
  name: "queue_settle_mode",
  text: `select set_config('synchronous_commit', $1, true), set_config('enable_hashjoin', 'off', true),
    set_config('enable_mergejoin', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)`,
};

/** The columns kept in the attempt log or the delivery history. */
const LOGGED = {
  ...{ started_ms: "float8", duration_ms: "real", url: "text", status: "smallint", error: "text", error_code: "text" },
  ...{ note: "text", timings: "json", request_headers: "json", response_headers: "json", response_body: "text" },
  ...{ response_bytes: "integer" },
} as const;
const { rows: SETTLEMENTS, pack } = packedRows<Settlement>("$1", {
  ...{ space_id: "uuid", webhook_id: "uuid", video_id: "text", sequence: "integer", attempt: "integer" },
  ...{ outcome: "text", delay_ms: "float8", step: "smallint", immediate: "boolean", reason: "text" },
  ...LOGGED,
});
/** The columns of row `o`, and of the settlement `h` that changed it. */
const DONE = ["space_id", "webhook_id", "video_id", "sequence", "id", "event_id", "type", "previous"]
  .map((name) => `o.${name}`)
  .concat(["attempt", "outcome", "reason", ...Object.keys(LOGGED)].map((name) => `h.${name}`))
  .join(", ");

// Each row is found and locked by key and attempt, then deleted or rescheduled by ctid. A settle that lost its lease
// finds no row and logs nothing. If the sweeper expires or shortens the lease after this statement starts but before it
// locks the row, the row gets a new ctid. The settle then misses the row and counts as lost, and the delivery is
// repeated.
export const SETTLE: Statement = {
  name: "queue_settle",
  text: `with settled as materialized (
      select * from ${SETTLEMENTS} s
    ), held as materialized (
      select s.*, o.place from settled s cross join lateral (
        select r.ctid as place from pending_deliveries r
        where ${HOLDS_LEASE}
        for update) o
    ), ended as (
      delete from pending_deliveries o using held h where o.ctid = h.place and h.outcome <> 'retry'
      returning ${DONE}
    ), retrying as (
      update pending_deliveries o set step = h.step,
        scheduled_at = case when h.step = o.step then o.scheduled_at end,
        due_at = statement_timestamp() + h.delay_ms * interval '1 ms',
        attempt = o.attempt + case when h.immediate then 1 else 0 end,
        leased_by = case when h.immediate then o.leased_by end,
        leased_until = case when h.immediate then statement_timestamp() + $2::float8 * interval '1 ms' else '-infinity' end
      from held h where o.ctid = h.place and h.outcome = 'retry'
      returning ${DONE}
    ), done as (
      select * from ended union all select * from retrying
    ), logged as (
      insert into attempts (space_id, delivery_id, attempt, outcome, started_at, url, response_status, error, error_code,
        note, timings, request_headers, response_headers, response_body, response_bytes)
      select space_id, id, attempt, outcome, to_timestamp(started_ms / 1000), url, status, error, error_code, note,
        timings, request_headers, response_headers, decode(response_body, 'base64'), response_bytes
      from done where url is not null
      on conflict do nothing
    ), history as (
      insert into deliveries as d (space_id, id, webhook_id, event_id, type, video_id, sequence, previous, status, reason,
        attempts, response_status, error, duration_ms)
      select space_id, id, webhook_id, event_id, type, case when sequence > 0 then video_id end, sequence, previous,
        outcome, reason, attempt, status, error, duration_ms
      from ended
      on conflict (space_id, id) do update set status = excluded.status, reason = excluded.reason,
        attempts = excluded.attempts, response_status = excluded.response_status, error = excluded.error,
        duration_ms = excluded.duration_ms, finished_at = excluded.finished_at
        where excluded.status <> 'canceled'
    )
    select space_id, webhook_id, video_id, sequence from done`,
};

/**
 * Settles attempts in one transaction. Afterward, release the next delivery of each video whose delivery ended.
 * @returns the settlements that changed nothing because their lease was lost
 */
export async function settleAttempts(
  db: Database,
  settlements: readonly Settlement[],
  lease_ms: number,
): Promise<Settlement[]> {
  const sorted = settlements.toSorted(byLockOrder);
  const settled = await db.transaction(async (tx) => {
    const mode = tx.run(SETTLE_MODE, [sorted.some(({ immediate }) => immediate) ? "on" : "off"]);
    const [, done] = await Promise.all([mode, tx.last<DeliveryKey>(SETTLE, [pack(sorted), lease_ms])]);
    return done;
  });
  if (settled.length === sorted.length) return [];
  const done = new Set(settled.map(keyOf));
  return sorted.filter((settlement) => !done.has(keyOf(settlement)));
}
