import { LIMITS } from "../../kernel/limits.ts";
import type { Sql, Statement } from "../db.ts";

// Served by pending_deliveries_due. Locked rows are skipped, because they are being claimed or canceled. The rows become
// due a microsecond apart, so that claims take them in the order in which their events were recorded.
const early: Statement = {
  name: "queue_retry_early",
  text: `with later as materialized (
      select d.ctid as place, d.id from pending_deliveries d
      where d.webhook_id = $1 and d.due_at > statement_timestamp() and d.due_at < 'infinity'
        and d.leased_until < statement_timestamp() and ($2 or d.scheduled_at is null)
      order by d.due_at limit $3 for no key update skip locked
    ), ranked as (
      select place, count(*) over () - row_number() over (order by id) as before_last from later
    ), moved as (
      update pending_deliveries o set scheduled_at = coalesce(o.scheduled_at, o.due_at),
        due_at = statement_timestamp() - (r.before_last + 1) * interval '1 microsecond'
      from ranked r where o.ctid = r.place
      returning 1
    )
    select count(*)::int as count from moved`,
};

/**
 * Makes a webhook's retries due now, instead of at the times that the retry schedule gave them, and keeps those times.
 * An early attempt that fails returns its delivery to the time kept, without using a step of the schedule.
 * @param repeatedly whether to include deliveries that have already been retried early since their last scheduled attempt;
 *   otherwise a delivery that always fails could be retried forever
 * @param max the maximum number of deliveries
 * @returns how many are now due
 */
export async function retryEarly(
  sql: Sql,
  webhook: string,
  { repeatedly, max }: { repeatedly: boolean; max: number },
): Promise<number> {
  let total = 0;
  while (total < max) {
    const limit = Math.min(LIMITS.RETRIES_SLICE, max - total);
    const [row] = await sql.run<{ count: number }>(early, [webhook, repeatedly, limit]);
    total += row!.count;
    if (row!.count < limit) break;
  }
  return total;
}
