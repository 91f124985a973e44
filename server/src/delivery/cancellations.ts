import type { EventType } from "../kernel/event-catalog.ts";
import { LIMITS } from "../kernel/limits.ts";
import { idSeconds, longUuid, shortUuid } from "../kernel/short-uuid.ts";
import type { Signals } from "../kernel/signals.ts";
import type { Database } from "../store/db.ts";
import * as store from "../store/queue/cancel.ts";
import { releaseNext } from "../store/queue/release.ts";
import type { PendingStatus } from "../store/queue/status.ts";
import { findWebhook, idRange, invalid, NO_WEBHOOK, type TimeRange } from "./bulk-action.ts";

/** Selects the pending deliveries to cancel. Ids are short UUIDs; an omitted field matches everything. */
export interface CancellationInput extends TimeRange {
  webhook?: string | undefined;
  event?: string | undefined;
  video?: string | undefined;
  type?: EventType | undefined;
  status?: Exclude<PendingStatus, "sending"> | "pending" | undefined;
  /** Shown with each canceled delivery, followed by who canceled it. */
  reason?: string | undefined;
}

/**
 * The API's representation of a cancellation. `first` and `last` are the event times of the first and last matching
 * deliveries.
 */
export interface CancellationView {
  object: "cancellation";
  dry_run: boolean;
  total: number;
  first: number | null;
  last: number | null;
  /** Whether more deliveries may match. One cancellation stops after about CANCELLATION_ROWS_MAX deliveries. */
  has_more: boolean;
}

/** Cancels pending deliveries in bulk, without sending them. */
export interface Cancellations {
  /** Counts the matching deliveries without canceling them. @throws REQUEST_INVALID, like `create` */
  dryRun(space: string, input: CancellationInput): Promise<CancellationView>;
  /**
   * Cancels all matching deliveries that are not being sent, one slice per transaction. After a crash, the finished
   * slices stay canceled, and repeating the call cancels the rest.
   * @throws REQUEST_INVALID if no filter is given, the webhook does not exist, or the event id is invalid
   */
  create(space: string, input: CancellationInput, by: string): Promise<CancellationView>;
}

interface CancellationsParts {
  db: Database;
  signals: Signals;
}

export function createCancellations(parts: CancellationsParts): Cancellations {
  return {
    async dryRun(space, input) {
      const filter = await filterOf(parts.db, space, input);
      const counted = await store.countCancellation(parts.db, filter, LIMITS.CANCELLATION_ROWS_MAX);
      return { ...viewOf(counted), dry_run: true };
    },
    async create(space, input, by) {
      const filter = await filterOf(parts.db, space, input);
      const reason = input.reason === undefined ? `Canceled by ${by}.` : `${input.reason} (${by})`;
      return viewOf(await cancelAll(parts, filter, reason));
    },
  };
}

async function filterOf(db: Database, space: string, input: CancellationInput): Promise<store.CancellationFilter> {
  const webhook = input.webhook === undefined ? null : await findWebhook(db, space, input.webhook);
  if (input.webhook !== undefined && webhook === null) throw invalid(NO_WEBHOOK);
  const event = input.event === undefined ? null : longUuid(input.event);
  if (input.event !== undefined && event === null)
    throw invalid({ path: "/event", detail: "There is no event with this id." });
  const { reason: _, ...filters } = input;
  if (Object.values(filters).every((value) => value === undefined))
    throw invalid({
      path: "/status",
      detail: "No filter given. To cancel all pending deliveries, set `status` to `pending`.",
    });
  const { video = null, type = null, status = "pending" } = input;
  return { space, webhook, event, video, type, status: status === "pending" ? null : status, ...idRange(input, event) };
}

/**
 * Makes passes until one finds nothing, but no more than CANCELLATION_PASSES_MAX. More than one is needed because a
 * pass skips rows that other transactions have locked.
 */
async function cancelAll(parts: CancellationsParts, filter: store.CancellationFilter, reason: string) {
  const canceled: store.CancellationCount = { total: 0, first: null, last: null };
  for (let pass = 0; pass < LIMITS.CANCELLATION_PASSES_MAX; pass++) {
    const before = canceled.total;
    for (let low: string | undefined = filter.low; low && canceled.total < LIMITS.CANCELLATION_ROWS_MAX; ) {
      const slice = await cancelSlice(parts, { ...filter, low }, reason);
      canceled.total += slice.length;
      low = slice.at(-1)?.id;
      for (const { id } of slice) {
        if (canceled.first === null || id < canceled.first) canceled.first = id;
        if (canceled.last === null || id > canceled.last) canceled.last = id;
      }
    }
    if (canceled.total === before) break;
  }
  return canceled;
}

/**
 * Cancels a slice in one transaction and releases the next event of each video in a second one, because a single
 * transaction would wait for locks on some rows while holding locks on others. If the process crashes between the two
 * transactions, the sweeper releases the events.
 */
async function cancelSlice({ db, signals }: CancellationsParts, filter: store.CancellationFilter, reason: string) {
  const slice = await db.transaction(async (tx) => {
    const slice = await store.cancelSlice(tx, filter, LIMITS.CANCELLATION_SLICE, reason);
    tx.afterCommit(() => announce(signals, slice));
    return slice;
  });
  await db.transaction(async (tx) => {
    const { due } = await releaseNext({ run: tx.last }, slice, null);
    tx.afterCommit(() => {
      for (const webhook of due) signals.emit("due", { webhook });
    });
  });
  return slice;
}

function announce(signals: Signals, slice: readonly store.CanceledDelivery[]): void {
  if (!signals.hasListeners("delivery")) return;
  for (const { space_id: space, sequence, video_id, ...row } of slice.slice(0, LIMITS.CHANGES_BATCH_MAX)) {
    const [webhook, delivery, event] = [shortUuid(row.webhook_id), shortUuid(row.id), shortUuid(row.event_id)];
    signals.emit("delivery", { space, webhook, delivery, event, video: sequence > 0 ? video_id : null });
  }
}

function viewOf({ total, first, last }: store.CancellationCount): CancellationView {
  const has_more = total >= LIMITS.CANCELLATION_ROWS_MAX;
  const [from, to] = [first && idSeconds(first), last && idSeconds(last)];
  return { object: "cancellation", dry_run: false, total, first: from || null, last: to || null, has_more };
}
