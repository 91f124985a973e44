import type { PendingStatus } from "../../delivery/delivery.ts";
import type { EventType } from "../../kernel/event-catalog.ts";
import type { Sql, Statement } from "../db.ts";
import { PENDING_STATUS } from "../history.ts";
import type { DeliveryKey } from "./claim.ts";

/** Which open deliveries. What is null does not narrow it down. */
export interface CancellationFilter {
  space: string;
  webhook: string | null;
  event: string | null;
  video: string | null;
  type: EventType | null;
  status: PendingStatus | null;
  /** Ids lie between these, both excluded: from a time range. */
  low: string;
  high: string;
}

// By pending_deliveries_by_id, in the order of time. What is being sent is not touched.
const CHOSEN = `from pending_deliveries o left join webhooks w on w.space_id = o.space_id and w.id = o.webhook_id
  where uuid_send(o.space_id) = uuid_send($1::uuid) and o.id > $2 and o.id < $3 and o.leased_until < now()
    and ($4::uuid is null or o.webhook_id = $4) and ($5::uuid is null or o.event_id = $5)
    and ($6::text is null or o.video_id = $6) and ($7::text is null or o.type = $7)
    and ($8::text is null or ${PENDING_STATUS} = $8)`;

const valuesOf = ({ space, low, high, webhook, event, video, type, status }: CancellationFilter) => [
  space,
  low,
  high,
  webhook,
  event,
  video,
  type,
  status,
];

const count: Statement = {
  name: "cancellations_count",
  text: `select count(*)::int as total, min(id::text) as first, max(id::text) as last
    from (select o.id ${CHOSEN} order by o.id limit $9) counted`,
};

export interface CancellationCount {
  total: number;
  /** The lowest and the highest id: they have their events' times. */
  first: string | null;
  last: string | null;
}

/** How many a cancellation would end, counted up to `max`. */
export async function countCancellation(sql: Sql, filter: CancellationFilter, max: number): Promise<CancellationCount> {
  return (await sql.run<CancellationCount>(count, [...valuesOf(filter), max]))[0]!;
}

// A row that another transaction holds is skipped: this one waits for nobody while it holds rows itself, so that it is in
// no deadlock. The caller walks again until nothing is left. One that was sent again keeps how it had ended before; its
// attempts are counted on, so that a later one does not bear an old number.
const slice: Statement = {
  name: "cancellations_slice",
  text: `with chosen as materialized (
      select o.ctid as place ${CHOSEN} order by o.id limit $9 for update of o skip locked
    ), gone as (
      delete from pending_deliveries o using chosen c where o.ctid = c.place returning o.*
    ), history as (
      insert into deliveries (space_id, id, webhook_id, event_id, type, video_id, sequence, previous, status, reason,
        attempts)
      select space_id, id, webhook_id, event_id, type, case when sequence > 0 then video_id end, sequence, previous,
        'canceled', $10, attempt from gone
      on conflict (space_id, id) do update set attempts = greatest(deliveries.attempts, excluded.attempts)
    )
    select space_id, webhook_id, video_id, sequence, id, event_id, followed from gone order by id`,
};

export interface CanceledDelivery extends DeliveryKey {
  id: string;
  event_id: string;
  /** A later event of its video waited for it. */
  followed: boolean;
}

/** Ends up to `limit` of them for good, the oldest first. @returns these */
export async function cancelSlice(
  tx: Sql,
  filter: CancellationFilter,
  limit: number,
  reason: string,
): Promise<CanceledDelivery[]> {
  return tx.run<CanceledDelivery>(slice, [...valuesOf(filter), limit, reason]);
}
