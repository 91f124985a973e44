import type { Database, Statement, Transaction } from "../db.ts";
import { type DeliveryKey, keyOf } from "./claim.ts";
import { packedRows } from "./packed-rows.ts";

/** How one attempt ended: the row to settle (its key and, as the fence, its attempt) and what the log keeps. */
export interface Settlement extends DeliveryKey {
  attempt: number;
  outcome: "succeeded" | "retry" | "failed" | "canceled";
  /** Of a retry: how long to wait, and the step of the schedule it will be at. */
  delay_ms: number;
  step: number;
  /** Of a retry: it stays leased, as the next attempt, which follows at once. */
  again: boolean;
  /** Of a cancellation. */
  reason: string | null;
  started_ms: number;
  duration_ms: number | null;
  /** null where no request was made: then there is no attempt to log. */
  url: string | null;
  status: number | null;
  error: string | null;
  error_code: string | null;
  note: string | null;
  /** JSON texts. */
  timings: string | null;
  request_headers: string | null;
  response_headers: string | null;
  /** base64 */
  response_body: string | null;
  response_bytes: number | null;
}

export interface Settled extends DeliveryKey {
  /** A later event of its video waits for it. Only of one that has ended. */
  followed: boolean;
}

// A settle may be lost (its delivery is then made twice, which is allowed), so it need not wait for the disk: unless it
// takes a lease, whose attempt number would be given a second time. Nor must the planner join by what a vacuum saw that
// found the queue empty.
/** How a settle's transaction runs; exported, as `SETTLE`, for the test that reads its plan. */
export const SETTLE_MODE: Statement = {
  name: "settle_mode",
  text: `select set_config('synchronous_commit', $1, true), set_config('enable_hashjoin', 'off', true),
    set_config('enable_mergejoin', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)`,
};

/** What the log keeps of it. */
const ENTRY = {
  ...{ started_ms: "float8", duration_ms: "real", url: "text", status: "smallint", error: "text", error_code: "text" },
  ...{ note: "text", timings: "json", request_headers: "json", response_headers: "json", response_body: "text" },
  ...{ response_bytes: "integer" },
} as const;
const ENTRY_OF_HELD = Object.keys(ENTRY)
  .map((name) => `h.${name}`)
  .join(", ");
const { rows: SETTLEMENTS, pack } = packedRows<Settlement>("$1", {
  ...{ space_id: "uuid", webhook_id: "uuid", video_id: "text", sequence: "integer", attempt: "integer" },
  ...{ outcome: "text", delay_ms: "float8", step: "smallint", again: "boolean", reason: "text" },
  ...ENTRY,
});

// The row is locked by key and attempt, then deleted or put off by its place: a settle that lost its lease finds nothing
// and logs nothing. A row that was marked as followed in between has another place and is missed; the caller settles
// what was missed once more, with a new snapshot.
export const SETTLE: Statement = {
  name: "settle",
  text: `with settled as materialized (
      select * from ${SETTLEMENTS} s
    ), held as materialized (
      select s.*, o.place from settled s cross join lateral (
        select r.ctid as place from pending_deliveries r
        where r.space_id = s.space_id and r.webhook_id = s.webhook_id and r.video_id = s.video_id
          and r.sequence = s.sequence and r.attempt = s.attempt
        for update) o
    ), ended as (
      delete from pending_deliveries o using held h where o.ctid = h.place and h.outcome <> 'retry'
      returning o.space_id, o.webhook_id, o.video_id, o.sequence, o.id, o.event_id, o.type, o.previous, o.followed,
        h.attempt, h.outcome, h.reason, ${ENTRY_OF_HELD}
    ), deferred as (
      update pending_deliveries o set step = h.step,
        due_at = statement_timestamp() + h.delay_ms * interval '1 ms',
        attempt = o.attempt + case when h.again then 1 else 0 end,
        leased_by = case when h.again then o.leased_by end,
        leased_until = case when h.again then statement_timestamp() + $2::float8 * interval '1 ms' else '-infinity' end
      from held h where o.ctid = h.place and h.outcome = 'retry'
      returning o.space_id, o.webhook_id, o.video_id, o.sequence, o.id, o.event_id, o.type, o.previous, false as followed,
        h.attempt, h.outcome, h.reason, ${ENTRY_OF_HELD}
    ), done as (
      select * from ended union all select * from deferred
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
    )
    select space_id, webhook_id, video_id, sequence, followed from done`,
};

/** How often what was missed is settled again before it counts as lost. */
const ROUNDS_MAX = 3;

/**
 * Settles attempts in one transaction each time round.
 * @returns what was settled; what is missing had lost its lease, and was not changed
 */
export async function settleAttempts(
  db: Database,
  settlements: readonly Settlement[],
  lease_ms: number,
): Promise<{ settled: Settled[]; lost: Settlement[] }> {
  const settled: Settled[] = [];
  let left = [...settlements].sort(byKey);
  for (let round = 0; left.length > 0 && round < ROUNDS_MAX; round++) {
    const batch = left;
    const done = await db.transaction((tx) => settleOnce(tx, batch, lease_ms));
    settled.push(...done);
    if (done.length === batch.length) return { settled, lost: [] };
    const found = new Set(done.map(keyOf));
    left = batch.filter((settlement) => !found.has(keyOf(settlement)));
  }
  return { settled, lost: left };
}

async function settleOnce(tx: Transaction, batch: readonly Settlement[], lease_ms: number): Promise<Settled[]> {
  const mode = tx.run(SETTLE_MODE, [batch.some(({ again }) => again) ? "on" : "off"]);
  const [, settled] = await Promise.all([mode, tx.last<Settled>(SETTLE, [pack(batch), lease_ms])]);
  return settled;
}

/** The order in which every statement locks several rows, so that two never wait for each other. */
const byKey = (a: DeliveryKey, b: DeliveryKey): number => {
  const [left, right] = [keyOf(a), keyOf(b)];
  return left < right ? -1 : left > right ? 1 : 0;
};
