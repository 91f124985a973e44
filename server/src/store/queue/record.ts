import type { EventType } from "../../kernel/event-catalog.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { TraceParent } from "../../kernel/trace.ts";
import type { Sql, Statement } from "../db.ts";
import type { LeaseKey } from "./key.ts";
import type { Lease } from "./leases.ts";
import { packedRows } from "./packed-rows.ts";

/** An event with its final payload: every attempt, for every webhook, signs and sends the same bytes. */
export interface FrozenEvent {
  /** UUID, version 7. */
  uuid: string;
  /** The UUID's short form, as shown by the API. */
  id: string;
  space: string;
  type: EventType;
  /** Null for events about webhooks. */
  video: string | null;
  /**
   * The event's number within its video, starting at 1 and assigned by the statement that changed the video; 0 if there
   * is no video.
   */
  sequence: number;
  payload: string;
  /** The UUID of the only webhook that receives the event. */
  only?: string;
  /** The UUID of a webhook that does not receive the event. */
  except?: string;
  /** Whether each delivery is attempted only once, with no retries. */
  once?: boolean;
  /** The event's span, or the span that caused the event; null without tracing. */
  traceparent?: TraceParent | null;
}

/** A pending delivery as recorded. `attempt` is 1 if it was leased to the recording node, otherwise 0. */
export interface PendingDelivery extends LeaseKey {
  id: string;
  event_id: string;
  type: EventType;
  previous: number;
  /** How many steps of the retry schedule have been used. */
  step: number;
  /** Whether it waits for an earlier event of the same video. */
  blocked: boolean;
}

const { rows: EVENT_ROWS, pack } = packedRows("$1", {
  ...{ space_id: "uuid", id: "uuid", type: "text", video_id: "text", sequence: "integer", payload: "text" },
  ...{ traceparent: "text", only_id: "uuid", except_id: "uuid", step: "smallint" },
});
const EVENTS = `event as materialized (
      select * from ${EVENT_ROWS} e
    ), recorded as (
      insert into events (space_id, id, type, video_id, sequence, payload, traceparent)
      select space_id, id, type, video_id, sequence, payload, traceparent from event
    )`;

/** An event is delivered to the webhooks that exist in its space when it is recorded (webhooks_pkey). */
const ITS_WEBHOOKS = `webhooks w on w.space_id = e.space_id
      and case when e.only_id is null then w.events @> array[e.type] and w.id is distinct from e.except_id
        else w.id = e.only_id end`;

const inserted = (
  previous: string,
  blocked: string,
  at_once: string,
  from: string,
) => `insert into pending_deliveries (space_id, webhook_id,
      video_id, sequence, id, event_id, type, previous, attempt, step, due_at, leased_until, leased_by)
    select e.space_id, e.webhook_id, coalesce(e.video_id, e.id::text), e.sequence, delivery_id(e.id, e.webhook_id), e.id, e.type,
      ${previous},
      case when handed then 1 else 0 end,
      e.step,
      case when ${blocked} then 'infinity' when e.step >= ${LIMITS.STEP_MANUAL} then '-infinity'
        else statement_timestamp() end,
      case when handed then statement_timestamp() + $3::float8 * interval '1 ms' else '-infinity' end,
      case when handed then $2::integer end
    from ${from}
    cross join lateral (select ${at_once} and e.status = 'enabled' and $2::integer is not null
      and e.webhook_id <> all($4::uuid[]) as handed) h
    returning space_id, webhook_id, video_id, sequence, id, event_id, type, previous, attempt, step,
      due_at = 'infinity' as blocked`;

// `before` is the sequence number of the latest earlier delivery that is still pending, found through
// pending_deliveries_pkey. Finished deliveries are looked up through deliveries_by_video, and only if `before` is not
// the sequence number immediately before the event's. Just starting a lookup in every daily partition of `deliveries`
// takes longer than the rest of the statement, so $5 and $6 exclude future days and the days before the video was
// created.
//
// The row that a new delivery waits for is locked against deletion until this transaction commits; release.ts explains
// why that is enough. If that row was deleted just before it could be locked, the webhook may have been deleted as
// well, and the deleted row's attempt may still be in flight. The new delivery is therefore due but not leased, so that
// a claim checks the webhook first.
const record: Statement = {
  name: "queue_record",
  text: `with ${EVENTS}, target as materialized (
      select e.space_id, e.id, e.type, e.video_id, e.sequence, e.step, w.id as webhook_id, w.ordering, w.status,
        (select max(o.sequence) from pending_deliveries o where e.sequence > 1 and o.space_id = e.space_id
          and o.webhook_id = w.id and o.video_id = e.video_id and o.sequence < e.sequence) as before
      from event e join ${ITS_WEBHOOKS}
      order by w.id, e.video_id collate "C"
    ), waited_for as materialized (
      select t.webhook_id, t.video_id, t.sequence from target t
      cross join lateral (
        select from pending_deliveries l
        where t.ordering = 'video' and t.before is not null and l.space_id = t.space_id
          and l.webhook_id = t.webhook_id and l.video_id = t.video_id and l.sequence < t.sequence
        order by l.sequence desc limit 1 for key share) o
    )
    ${inserted(
      `case when e.before = e.sequence - 1 then e.before when e.sequence > 1 then coalesce(greatest(e.before,
        (select max(d.sequence) from deliveries d where d.space_id = e.space_id and d.webhook_id = e.webhook_id
          and d.video_id = e.video_id and d.sequence < e.sequence and d.id >= $5::uuid and d.id < $6::uuid)), 0) else 0 end`,
      "f.webhook_id is not null",
      "(e.before is null or e.ordering <> 'video')",
      "target e left join waited_for f using (webhook_id, video_id, sequence)",
    )}`,
};

// A video's first event has no earlier delivery to wait for.
const recordFirst: Statement = {
  name: "queue_record_first",
  text: `with ${EVENTS}
    ${inserted(
      "0",
      "false",
      "true",
      `(select e.space_id, e.id, e.type, e.video_id, e.sequence, e.step, w.id as webhook_id, w.status
        from event e join ${ITS_WEBHOOKS}) e`,
    )}`,
};

/**
 * Inserts events, each for a different video, and their deliveries.
 * @param lease if given, deliveries that can be sent immediately are leased to that node as attempt 1
 * @param closed webhooks whose deliveries are not leased
 * @param past the range of ids that earlier deliveries of these videos can have; null if each event is its video's
 *   first
 */
export async function recordEvents(
  tx: Sql,
  events: readonly FrozenEvent[],
  lease: Lease | null,
  closed: readonly string[],
  past: { from: string; to: string } | null,
): Promise<PendingDelivery[]> {
  const rows = events.map(({ uuid, space, type, video, sequence, payload, traceparent, only, except, once }) => {
    const event = { space_id: space, id: uuid, type, video_id: video, sequence, payload, traceparent };
    return { ...event, only_id: only, except_id: except, step: once ? LIMITS.STEP_MANUAL : 0 };
  });
  const values = [pack(rows), lease?.node ?? null, lease?.lease_ms ?? 0, closed];
  return past === null ? tx.run(recordFirst, values) : tx.run(record, [...values, past.from, past.to]);
}
