import { unixSeconds } from "../kernel/clock.ts";
import { MaveError } from "../kernel/errors.ts";
import type { EventType } from "../kernel/event-catalog.ts";
import { LIMITS } from "../kernel/limits.ts";
import { requireFound, requireUuid } from "../kernel/not-found.ts";
import { type Page, type PageQuery, pageOf } from "../kernel/page.ts";
import { longUuid, shortUuid } from "../kernel/short-uuid.ts";
import type { Signals } from "../kernel/signals.ts";
import { listAttempts } from "../store/attempts.ts";
import type { Database, Sql, Transactional } from "../store/db.ts";
import { getEvent } from "../store/events.ts";
import * as store from "../store/history.ts";
import { releaseNext } from "../store/queue/release.ts";
import { type LockedDelivery, lockPendingDelivery, makeDueFirst, reopenDeliveries } from "../store/queue/reopen.ts";
import { getWebhook } from "../store/webhooks.ts";
import { type AttemptView, presentAttempt } from "./attempt-view.ts";
import { idRange, type TimeRange } from "./bulk-action.ts";
import { type DeliveryView, presentDelivery } from "./delivery-view.ts";

/** Filters for deliveries. Ids are short UUIDs; `since` and `until` apply to event times. */
export interface DeliveryQuery extends PageQuery, TimeRange {
  webhook?: string | undefined;
  event?: string | undefined;
  video?: string | undefined;
  type?: EventType | undefined;
  /** `pending` matches every unfinished delivery, whatever its exact status. */
  status?: store.DeliveryStatus | "pending" | undefined;
  response?: "2xx" | "3xx" | "4xx" | "5xx" | "none" | undefined;
}

/** `erased` is when the data of the delivery's event and attempts was erased, in Unix seconds. */
export type DeliveryWithLog = DeliveryView & { log: AttemptView[]; erased: number | null };

/**
 * A space's deliveries, pending and finished. Functions that take a delivery id throw NOT_FOUND if the space has no
 * such delivery.
 */
export interface Deliveries {
  /**
   * Lists deliveries, newest first. A page may be short or empty even if another page follows, because each page reads
   * only a limited part of the history.
   */
  list(space: string, query: DeliveryQuery): Promise<Page<DeliveryView>>;
  get(space: string, id: string): Promise<DeliveryWithLog>;
  /**
   * Sends a delivery now. A pending delivery does not wait for its next retry, and a finished one gets one more
   * attempt. Concurrent calls result in only one attempt.
   * @throws DELIVERY_BUSY while it is being sent; DELIVERY_WAITING while an earlier event of its video is pending;
   *   CONFLICT if its webhook is paused or disabled; DELIVERY_CANCELED; DELIVERY_GONE
   */
  sendAgain(db: Transactional, space: string, id: string): Promise<DeliveryView>;
}

export interface DeliveriesParts {
  db: Database;
  signals: Signals;
  /** The number of retries in the schedule. */
  retries: number;
}

export function createDeliveries(parts: DeliveriesParts): Deliveries {
  return {
    list: (space, query) => list(parts, space, query),
    get: (space, id) => get(parts, space, id),
    sendAgain: (db, space, id) => sendAgain(parts, db, space, id),
  };
}

const PENDING: store.DeliveryStatus[] = ["waiting", "sending", "retrying", "held"];
const EMPTY: Page<DeliveryView> = { object: "list", data: [], has_more: false, next: null };

async function list(
  { db, retries }: DeliveriesParts,
  space: string,
  query: DeliveryQuery,
): Promise<Page<DeliveryView>> {
  const [webhook, event] = [uuidOrNull(query.webhook), uuidOrNull(query.event)];
  if (webhook === undefined || event === undefined) return EMPTY; // an invalid id matches nothing
  const { video = null, type = null, status } = query;
  const statuses = status === undefined ? null : status === "pending" ? PENDING : [status];
  const range = idRange(query, event);
  const filter = { webhook, event, video, type, statuses, response: responseRange(query.response), ...range };
  let resumeAt: string | null = null;
  const page = await pageOf(query, longUuid, (row: store.DeliveryRow) => presentDelivery(row, retries), {
    async after(after, limit) {
      const found = await findNewest(db, space, { ...filter, high: after ?? range.high }, limit);
      resumeAt = found.resumeAt;
      return found.rows;
    },
    before: (before, limit) => store.listDeliveries(db, space, { ...filter, low: before }, "asc", limit),
  });
  return resumeAt === null ? page : { ...page, has_more: true, next: shortUuid(resumeAt) };
}

const WALKS: readonly store.Walk[] = ["short", "long"];

/**
 * Finds up to `limit` of the newest matching rows.
 * @returns the rows, and where the next page continues (`resumeAt`) if the walk ended before it found `limit` rows
 */
async function findNewest(db: Database, space: string, filter: store.DeliveryFilter, limit: number) {
  const rows: store.DeliveryRow[] = [];
  let { high } = filter;
  for (const walk of WALKS) {
    const end = await store.findWalkEnd(db, space, { ...filter, high }, walk);
    const part = { ...filter, high, low: end?.beyond ?? filter.low };
    rows.push(...(await store.listDeliveries(db, space, part, "desc", limit - rows.length)));
    if (end === null || rows.length === limit) return { rows, resumeAt: null };
    high = end.last;
  }
  return { rows, resumeAt: high };
}

/** Returns null if there is no filter, or undefined if the filter is not a valid id. */
function uuidOrNull(short: string | undefined): string | null | undefined {
  return short === undefined ? null : (longUuid(short) ?? undefined);
}

function responseRange(response: DeliveryQuery["response"]): store.DeliveryFilter["response"] {
  if (response === undefined || response === "none") return response ?? null;
  const hundred = Number(response[0]) * 100;
  return { from: hundred, to: hundred + 99 };
}

async function get({ db, retries }: DeliveriesParts, space: string, id: string): Promise<DeliveryWithLog> {
  const row = requireFound(await store.getDelivery(db, space, requireUuid(id)));
  const [attempts, event] = await Promise.all([listAttempts(db, space, row.id), getEvent(db, space, row.event_id)]);
  const body = event?.payload ?? "";
  const erased = event?.erased_at ? unixSeconds(event.erased_at.getTime()) : null;
  return { ...presentDelivery(row, retries), log: attempts.map((attempt) => presentAttempt(attempt, body)), erased };
}

async function sendAgain(
  { db: pool, signals, retries }: DeliveriesParts,
  db: Transactional,
  space: string,
  id: string,
): Promise<DeliveryView> {
  const uuid = requireUuid(id);
  return db.transaction(async (tx) => {
    const pending = await lockPendingDelivery(tx, space, uuid);
    if (pending !== undefined) await sendNow(tx, space, uuid, pending);
    else await reopen(tx, space, uuid);
    const row = requireFound(await store.getDelivery(tx, space, uuid));
    const [webhook, event] = [shortUuid(row.webhook_id), shortUuid(row.event_id)];
    tx.afterCommit(async () => {
      if (row.waits_for !== null) await releaseNext(pool, [{ ...row, video_id: row.video_id! }], null);
      signals.emit("due", { webhook: row.webhook_id });
      signals.emit("delivery", { space, webhook, delivery: id, event, video: row.video_id });
    });
    return presentDelivery(row, retries);
  });
}

async function sendNow(tx: Sql, space: string, id: string, pending: LockedDelivery): Promise<void> {
  if (pending.status === "sending") throw new MaveError("DELIVERY_BUSY");
  if (pending.status === "held") throw heldBy(pending.webhook_status);
  if (pending.blocked) throw new MaveError("DELIVERY_WAITING");
  if (!pending.manual) await makeDueFirst(tx, space, id);
}

async function reopen(tx: Sql, space: string, id: string): Promise<void> {
  const row = requireFound(await store.getDelivery(tx, space, id));
  if (row.status === "canceled") throw new MaveError("DELIVERY_CANCELED");
  const webhook = await getWebhook(tx, space, row.webhook_id);
  if (webhook?.status !== "enabled") throw heldBy(webhook?.status ?? null);
  if (!(await store.claimSendAgain(tx, space, id, LIMITS.SEND_AGAIN_WINDOW_MS))) return; // another call just did
  const reopening = { ...row, events: [row.event_id], step: LIMITS.STEP_MANUAL, replay: null };
  if ((await reopenDeliveries(tx, reopening)).length === 0) throw new MaveError("DELIVERY_GONE");
}

function heldBy(status: string | null): MaveError {
  if (status === null) return new MaveError("DELIVERY_CANCELED", "Its webhook was deleted.");
  return new MaveError("CONFLICT", `This delivery's webhook is ${status}. Resume it to send the delivery.`);
}
