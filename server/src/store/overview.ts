import type { Sql, Statement } from "./db.ts";

export interface OverviewCounts {
  webhooks: number;
  /** Enabled webhooks that are failing, which means that every attempt since the last success has failed. */
  failing: number;
  disabled: number;
  /** Pending deliveries, counted up to a limit. */
  pending: number;
  /** Attempts per minute, based on the current hour's counts. */
  per_minute: number;
}

const OPEN_COUNTED_MAX = 10_000; // every page polls this count; a larger backlog is shown as this number

/**
 * Served by webhooks_pkey, pending_deliveries_pkey, and webhook_hours_pkey. Reads the space's webhooks and their counts
 * for the current hour, plus pending deliveries up to the limit.
 */
const COUNT: Statement = {
  name: "overview_count",
  text: `select count(*) as webhooks,
      count(*) filter (where status = 'enabled' and failing_since is not null) as failing,
      count(*) filter (where status = 'disabled') as disabled,
      (select count(*) from (select from pending_deliveries where space_id = $1 limit $2) as first_ones) as pending,
      (select coalesce(sum(succeeded + failed), 0) / greatest(1, extract(minute from now()))
        from webhook_hours where space_id = $1 and hour = date_trunc('hour', now()))::float8 as per_minute
    from webhooks where space_id = $1`,
};

export async function countForOverview(sql: Sql, space: string): Promise<OverviewCounts> {
  return (await sql.run<OverviewCounts>(COUNT, [space, OPEN_COUNTED_MAX]))[0]!;
}
