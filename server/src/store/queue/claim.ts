import type { EventType } from "../../kernel/event-catalog.ts";
import type { TraceParent } from "../../kernel/trace.ts";
import type { Sql, Statement } from "../db.ts";
import type { LeaseKey } from "./key.ts";
import type { Lease } from "./leases.ts";

/** A delivery leased to this node, with its event. */
export interface LeasedDelivery extends LeaseKey {
  id: string;
  event_id: string;
  type: EventType;
  previous: number;
  step: number;
  /** Whether a user sent it again. If so, it goes first and does not wait for the receiver's Retry-After to pass. */
  manual?: boolean;
  /** Null only if an operator deleted the event by hand. */
  payload: string | null;
  /** The span that recorded the event; null if it was recorded without tracing. */
  traceparent?: TraceParent | null | undefined;
  /** When the lease was requested, on this process's monotonic clock. */
  leased_ms: number;
  /**
   * How many ms before its scheduled time a retry was leased, if it was made due earlier. Zero or less if that time has
   * passed, and null if the retry was never made due earlier.
   */
  early_ms?: number | null;
  /** Whether this is the immediate retry after an attempt on a connection that was being closed. */
  immediate?: boolean;
}

/** Columns of a leased row `o`. */
export const LEASED = `o.space_id, o.webhook_id, o.video_id, o.sequence, o.id, o.event_id, o.type, o.previous, o.attempt, o.step,
  o.due_at`;

/** Looks up each row's event in its daily partition. Without `offset 0`, a join may scan a whole day's index. */
export const WITH_EVENT = `left join lateral (select f.payload, f.traceparent from events f
      where f.space_id = o.space_id and f.id = o.event_id offset 0) e on true`;

// Does one lookup in pending_deliveries_due per webhook, each with its own limit, so that one webhook's backlog does
// not hide another's rows. Rows locked by another claim are skipped. Taking the lease changes no indexed column. Manual
// sends are due at -infinity, so they come first. While a receiver's Retry-After is in effect, only manual sends are
// claimed, through the same index.
const claim: Statement = {
  name: "queue_claim",
  text: `with due as materialized (
      select o.place from json_to_recordset($1::json) as w(webhook_id uuid, slots integer, manual boolean)
      join webhooks k on k.id = w.webhook_id and k.status = 'enabled'
      cross join lateral (
        select d.ctid as place from pending_deliveries d
        where d.webhook_id = w.webhook_id and d.due_at <= case when w.manual then '-infinity' else statement_timestamp() end
          and d.due_at < 'infinity' and d.leased_until < statement_timestamp()
        order by d.due_at limit w.slots for no key update skip locked) o
    ), leased as (
      update pending_deliveries o set attempt = attempt + 1, leased_by = $2::integer,
        leased_until = statement_timestamp() + $3::float8 * interval '1 ms'
      from due where o.ctid = due.place
      returning ${LEASED}, o.due_at = '-infinity' as manual, o.scheduled_at
    )
    select ${LEASED}, o.manual, e.payload, e.traceparent,
      (extract(epoch from o.scheduled_at - statement_timestamp()) * 1000)::float8 as early_ms
    from leased o ${WITH_EVENT}
    order by o.due_at`,
};

/**
 * Leases up to `slots` due deliveries of each enabled webhook to the node: manual ones first, then the most overdue.
 */
export async function claimDue(
  sql: Sql,
  wanted: readonly { webhook_id: string; slots: number; manual?: boolean }[],
  lease: Lease,
): Promise<LeasedDelivery[]> {
  const rows = await sql.run<LeasedDelivery>(claim, [JSON.stringify(wanted), lease.node, lease.lease_ms]);
  return rows.map((row) => ({ ...row, leased_ms: lease.leased_ms }));
}

// Skips from webhook to webhook in pending_deliveries_due, so the cost grows with the number of webhooks, not with the
// size of their backlogs.
const dueWebhooks: Statement = {
  name: "queue_due_webhooks",
  text: `with recursive first as (
      (select space_id, webhook_id, due_at from pending_deliveries where due_at < 'infinity'
        order by webhook_id, due_at limit 1)
      union all
      select next.* from first f cross join lateral (
        select o.space_id, o.webhook_id, o.due_at from pending_deliveries o
        where o.webhook_id > f.webhook_id and o.due_at < 'infinity'
        order by o.webhook_id, o.due_at limit 1) next
    )
    select f.webhook_id from first f join webhooks w on w.space_id = f.space_id and w.id = f.webhook_id
    where f.due_at <= now() and w.status = 'enabled'`,
};

/** Lists the enabled webhooks that have due deliveries, even if all of those are already leased. */
export async function listDueWebhooks(sql: Sql): Promise<string[]> {
  return (await sql.run<{ webhook_id: string }>(dueWebhooks)).map((row) => row.webhook_id);
}
