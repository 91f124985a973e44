import type { OpenStatus } from "../delivery/delivery.ts";
import type { EventType } from "../events/catalog.ts";
import type { Sql, Statement } from "./db.ts";
import { STATUS_OF_OPEN } from "./deliveries.ts";
import type { OpenKey } from "./open-deliveries.ts";

/** Which open deliveries. What is null does not narrow it down. */
export interface CancelationFilter {
  space: string;
  webhook: string | null;
  event: string | null;
  video: string | null;
  type: EventType | null;
  status: OpenStatus | null;
  /** Ids lie between these, both excluded: from a time range. */
  low: string;
  high: string;
}

// By open_deliveries_by_id, in the order of time. What is being sent is not touched.
const CHOSEN = `from open_deliveries o left join webhooks w on w.space_id = o.space_id and w.id = o.webhook_id
  where uuid_send(o.space_id) = uuid_send($1::uuid) and o.id > $2 and o.id < $3 and o.leased_until < now()
    and ($4::uuid is null or o.webhook_id = $4) and ($5::uuid is null or o.event_id = $5)
    and ($6::text is null or o.video_id = $6) and ($7::text is null or o.type = $7)
    and ($8::text is null or ${STATUS_OF_OPEN} = $8)`;

const valuesOf = ({ space, low, high, webhook, event, video, type, status }: CancelationFilter) => [
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
  name: "cancelations_count",
  text: `select count(*)::int as total, min(id::text) as first, max(id::text) as last
    from (select o.id ${CHOSEN} order by o.id limit $9) counted`,
};

export interface CancelationCount {
  total: number;
  /** The lowest and the highest id: they have their events' times. */
  first: string | null;
  last: string | null;
}

/** How many a cancelation would end, counted up to `max`. */
export async function countCancelation(sql: Sql, filter: CancelationFilter, max: number): Promise<CancelationCount> {
  return (await sql.run<CancelationCount>(count, [...valuesOf(filter), max]))[0]!;
}

// A row that another transaction holds is skipped: this one waits for nobody while it holds rows itself, so that it is in
// no deadlock. The caller walks again until nothing is left. One that was sent again keeps how it had ended before; its
// attempts are counted on, so that a later one does not bear an old number.
const slice: Statement = {
  name: "cancelations_slice",
  text: `with chosen as materialized (
      select o.ctid as place ${CHOSEN} order by o.id limit $9 for update of o skip locked
    ), gone as (
      delete from open_deliveries o using chosen c where o.ctid = c.place returning o.*
    ), history as (
      insert into deliveries (space_id, id, webhook_id, event_id, type, video_id, sequence, previous, status, reason,
        attempts)
      select space_id, id, webhook_id, event_id, type, case when sequence > 0 then video_id end, sequence, previous,
        'canceled', $10, attempt from gone
      on conflict (space_id, id) do update set attempts = greatest(deliveries.attempts, excluded.attempts)
    )
    select space_id, webhook_id, video_id, sequence, id, event_id, followed from gone order by id`,
};

export interface CanceledDelivery extends OpenKey {
  id: string;
  event_id: string;
  /** A later event of its video waited for it. */
  followed: boolean;
}

/** Ends up to `limit` of them for good, the oldest first. @returns these */
export async function cancelSlice(
  tx: Sql,
  filter: CancelationFilter,
  limit: number,
  reason: string,
): Promise<CanceledDelivery[]> {
  return tx.run<CanceledDelivery>(slice, [...valuesOf(filter), limit, reason]);
}
