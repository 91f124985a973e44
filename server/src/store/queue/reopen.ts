import type { Sql, Statement } from "../db.ts";
import type { VideoKey } from "./key.ts";
import { OF_SPACE, PENDING_STATUS, type PendingStatus } from "./status.ts";

const lock: Statement = {
  name: "queue_lock",
  text: `select ${PENDING_STATUS} as status, o.due_at = 'infinity' as blocked, o.due_at = '-infinity' as manual,
      w.status as webhook_status
    from pending_deliveries o left join webhooks w on w.space_id = o.space_id and w.id = o.webhook_id
    where ${OF_SPACE} and o.id = $2 for update of o`,
};

export interface LockedDelivery {
  status: PendingStatus;
  /** Whether it waits for an earlier event of the same video. */
  blocked: boolean;
  /** Whether a user has just sent it again. */
  manual: boolean;
  /** Null if the webhook was deleted. */
  webhook_status: string | null;
}

/** Locks a pending delivery until the transaction ends. @returns undefined if the delivery is not pending */
export async function lockPendingDelivery(tx: Sql, space: string, id: string): Promise<LockedDelivery | undefined> {
  return (await tx.run<LockedDelivery>(lock, [space, id]))[0];
}

const dueFirst: Statement = {
  name: "queue_make_due_first",
  text: `update pending_deliveries o set due_at = '-infinity' where ${OF_SPACE} and o.id = $2
    and o.due_at < 'infinity' and o.leased_until < statement_timestamp()`,
};

/** Makes a delivery due ahead of its webhook's backlog, unless it is blocked or being sent. */
export async function makeDueFirst(tx: Sql, space: string, id: string): Promise<void> {
  await tx.run(dueFirst, [space, id]);
}

// A finished delivery's attempt numbers continue where they left off. An event without a delivery gets a new one. A
// pending delivery is left unchanged. Events are locked in id order, as they are by an erasure, so whichever
// transaction comes second sees what the first one did. A delivery waits if an earlier delivery of its video is pending
// or is reopened with it, but it never blocks a later one that is already pending. Finished deliveries are looked up
// one by one, each in its event's daily partition (`offset 0`). Otherwise the planner may read the space's entire
// delivery history for a single page.
const reopen: Statement = {
  name: "queue_reopen",
  text: `with page as materialized (
      select e.space_id, e.id as event_id, e.type, coalesce(e.video_id, e.id::text) as video_id, e.sequence, w.ordering,
        delivery_id(e.id, w.id) as id, d.previous, coalesce(d.attempts, 0) as attempts
      from events e join webhooks w on w.space_id = e.space_id and w.id = $2
      left join lateral (select previous, attempts from deliveries f
        where f.space_id = e.space_id and f.id = delivery_id(e.id, w.id) offset 0) d on true
      where e.space_id = $1 and e.id = any($3::uuid[]) and e.payload is not null
      order by e.id for share of e
    )
    insert into pending_deliveries (space_id, webhook_id, video_id, sequence, id, event_id, type, previous, attempt, step,
      due_at, replay_id)
    select p.space_id, $2, p.video_id, p.sequence, p.id, p.event_id, p.type,
      coalesce(p.previous, case when p.sequence > 1 then greatest(
        (select max(l.sequence) from page l where l.video_id = p.video_id and l.sequence < p.sequence),
        (select max(l.sequence) from pending_deliveries l where l.space_id = $1 and l.webhook_id = $2
          and l.video_id = p.video_id and l.sequence < p.sequence),
        (select max(l.sequence) from deliveries l where l.space_id = $1 and l.webhook_id = $2
          and l.video_id = p.video_id and l.sequence < p.sequence)) end, 0),
      p.attempts, $4,
      case when p.ordering = 'video' and p.sequence > 1 and (
          exists (select from page l where l.video_id = p.video_id and l.sequence < p.sequence)
          or exists (select from pending_deliveries l where l.space_id = $1 and l.webhook_id = $2
            and l.video_id = p.video_id and l.sequence < p.sequence))
        then 'infinity' when $5::uuid is null then '-infinity' else statement_timestamp() end,
      $5
    from page p order by p.video_id, p.sequence
    on conflict do nothing
    returning space_id, webhook_id, video_id, id`,
};

// If a delivery is being settled when `reopen` runs, `reopen` waits and then inserts a row without having seen the
// settled attempt. This later statement sees that attempt and corrects the attempt count.
const countOn: Statement = {
  name: "queue_reopen_count_on",
  text: `update pending_deliveries o set attempt = d.attempts from deliveries d
    where ${OF_SPACE} and o.id = any($2::uuid[])
      and d.space_id = o.space_id and d.id = o.id and d.attempts > o.attempt`,
};

export interface Reopening {
  space_id: string;
  webhook_id: string;
  /** UUIDs of the events to deliver again. */
  events: readonly string[];
  /** The step of the retry schedule at which the deliveries start. */
  step: number;
  /** The replay that sends them; null for a manual send, which does not wait for the backlog. */
  replay: string | null;
}

/**
 * Makes deliveries pending again. Their attempt numbers continue where they left off.
 * @returns the reopened deliveries; after the commit, release the next delivery of each of their videos
 */
export async function reopenDeliveries(tx: Sql, { space_id, webhook_id, events, step, replay }: Reopening) {
  const reopened = await tx.run<VideoKey & { id: string }>(reopen, [space_id, webhook_id, events, step, replay]);
  await tx.run(countOn, [space_id, reopened.map(({ id }) => id)]);
  return reopened;
}
