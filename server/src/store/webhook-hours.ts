import type { Sql, Statement } from "./db.ts";

/** A webhook's counts for one hour, collected since the last save. */
export interface HourCounts {
  space_id: string;
  webhook_id: string;
  hour_ms: number;
  succeeded: number;
  failed: number;
  errors: Record<string, number>;
  timings: Record<string, number>;
}

/** A webhook's current state, based on its attempts since the last save. */
export interface HealthMark {
  space_id: string;
  webhook_id: string;
  /** Whether any attempt succeeded. */
  succeeded: boolean;
  /** The first failure after the last success, in Unix ms; null if the last attempt succeeded. */
  failing_ms: number | null;
  certificate_ms: number | null;
}

const add: Statement = {
  name: "webhook_hours_add",
  text: `insert into webhook_hours as h (space_id, webhook_id, hour, succeeded, failed, errors, timings)
    select e.space_id, e.webhook_id, to_timestamp(e.hour_ms / 1000), e.succeeded, e.failed, e.errors, e.timings
    from json_to_recordset($1::json) as e(space_id uuid, webhook_id uuid, hour_ms float8, succeeded integer,
      failed integer, errors jsonb, timings jsonb) join webhooks w on w.space_id = e.space_id and w.id = e.webhook_id
    order by e.space_id, e.webhook_id, e.hour_ms
    on conflict (space_id, webhook_id, hour) do update set succeeded = h.succeeded + excluded.succeeded,
      failed = h.failed + excluded.failed, errors = add_counts(h.errors, excluded.errors),
      timings = add_counts(h.timings, excluded.timings)`,
};

// A success ends the failing period, even if attempts on other nodes failed. A failure starts a failing period if there
// is none yet. A row is written only if it changes, because it is read whenever an event is recorded.
const mark: Statement = {
  name: "webhooks_mark",
  text: `update webhooks w set failing_since = n.failing_since, certificate_until = n.certificate_until
    from (
      select k.id, coalesce(to_timestamp(e.certificate_ms / 1000), k.certificate_until) as certificate_until,
        case when e.succeeded or k.failing_since is null then to_timestamp(e.failing_ms / 1000)
          else k.failing_since end as failing_since
      from json_to_recordset($1::json) as e(space_id uuid, webhook_id uuid, succeeded boolean, failing_ms float8,
        certificate_ms float8) join webhooks k on k.space_id = e.space_id and k.id = e.webhook_id
      order by k.id for no key update of k
    ) n
    where w.id = n.id and (w.failing_since is distinct from n.failing_since
      or w.certificate_until is distinct from n.certificate_until)`,
};

/** Adds to the hourly counts and updates which webhooks are failing. */
export async function addHealth(tx: Sql, hours: readonly HourCounts[], marks: readonly HealthMark[]): Promise<void> {
  await tx.run(add, [JSON.stringify(hours)]);
  await tx.run(mark, [JSON.stringify(marks)]);
}

export interface HourRow {
  hour: Date;
  succeeded: number;
  failed: number;
  errors: Record<string, number>;
  timings: Record<string, number>;
}

const hours: Statement = {
  name: "webhook_hours_list",
  text: `select hour, succeeded, failed, errors, timings from webhook_hours
    where space_id = $1 and webhook_id = $2 and hour > $3::timestamptz order by hour`,
};

/** Lists the hours after `after`, oldest first. Hours without attempts are omitted. */
export async function listHours(sql: Sql, space: string, webhook: string, after: Date): Promise<HourRow[]> {
  return sql.run<HourRow>(hours, [space, webhook, after]);
}

// Served by pending_deliveries_pkey. Counting stops at a limit, so that showing a page never requires counting a
// million pending deliveries.
const backlog: Statement = {
  name: "webhook_backlog",
  text: `select count(*)::int as pending, min(to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0))
      as oldest
    from (select id from pending_deliveries where space_id = $1 and webhook_id = $2 limit $3) counted`,
};

/** Counts the pending deliveries, up to `max`, and finds when their oldest event happened. */
export async function measureBacklog(
  sql: Sql,
  space: string,
  webhook: string,
  max: number,
): Promise<{ pending: number; oldest: Date | null }> {
  return (await sql.run<{ pending: number; oldest: Date | null }>(backlog, [space, webhook, max]))[0]!;
}
