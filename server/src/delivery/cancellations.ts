import { MaveError } from "../kernel/errors.ts";
import type { EventType } from "../kernel/event-catalog.ts";
import { LIMITS } from "../kernel/limits.ts";
import { idSeconds, longUuid, shortUuid } from "../kernel/short-uuid.ts";
import type { Signals } from "../kernel/signals.ts";
import type { Database } from "../store/db.ts";
import * as store from "../store/queue/cancel.ts";
import { releaseNext } from "../store/queue/release.ts";
import type { PendingStatus } from "../store/queue/status.ts";
import { getWebhook } from "../store/webhooks.ts";
import { idRange } from "./deliveries.ts";

/** Which open deliveries to cancel. Ids are short, times are Unix seconds; what is left out does not narrow it down. */
export interface CancellationInput {
  webhook?: string | undefined;
  event?: string | undefined;
  video?: string | undefined;
  type?: EventType | undefined;
  status?: Exclude<PendingStatus, "sending"> | "pending" | undefined;
  since?: number | undefined;
  /** Not included. */
  until?: number | undefined;
  /** Shown with each of them, beside who did it. */
  reason?: string | undefined;
}

/** The API's object for a cancellation. `first` and `last`: when the events of the first and last of them happened. */
export interface CancellationView {
  object: "cancellation";
  dry_run: boolean;
  total: number;
  first: number | null;
  last: number | null;
  /** There are more: one cancellation ends CANCELLATION_ROWS_MAX at most. */
  has_more: boolean;
}

/** Ending open deliveries for good without sending them, by what they have in common. */
export interface Cancellations {
  /** Only counts. @throws REQUEST_INVALID where there is no such webhook */
  dryRun(space: string, input: CancellationInput): Promise<CancellationView>;
  /**
   * Cancels all that match and are not being sent, slice by slice. Killed on the way, what it did is done and says who
   * did it; the same call again does the rest.
   */
  create(space: string, input: CancellationInput, by: string): Promise<CancellationView>;
}

interface CancellationsParts {
  db: Database;
  signals: Signals;
}

export function createCancellations(parts: CancellationsParts): Cancellations {
  return {
    dryRun: (space, input) => dryRun(parts, space, input),
    create: (space, input, by) => create(parts, space, input, by),
  };
}

async function dryRun({ db }: CancellationsParts, space: string, input: CancellationInput): Promise<CancellationView> {
  const filter = await filterOf(db, space, input);
  const { total, first, last } = await store.countCancellation(db, filter, LIMITS.CANCELLATION_ROWS_MAX);
  const view = viewOf(total, first, last, total === LIMITS.CANCELLATION_ROWS_MAX);
  return { ...view, dry_run: true };
}

async function create(
  parts: CancellationsParts,
  space: string,
  input: CancellationInput,
  by: string,
): Promise<CancellationView> {
  const filter = await filterOf(parts.db, space, input);
  const reason = input.reason === undefined ? `Canceled by ${by}.` : `${input.reason} (${by})`;
  const ended = await cancelAll(parts, filter, reason);
  return viewOf(ended.total, ended.first, ended.last, ended.total >= LIMITS.CANCELLATION_ROWS_MAX);
}

/** Walks the matching deliveries until a walk finds none: what another transaction held the first time is met then. */
async function cancelAll(parts: CancellationsParts, filter: store.CancellationFilter, reason: string) {
  const ended = { total: 0, first: null as string | null, last: null as string | null };
  for (let walk = 0; walk < LIMITS.CANCELLATION_PASSES_MAX; walk++) {
    const before = ended.total;
    for (let low: string | undefined = filter.low; low !== undefined && ended.total < LIMITS.CANCELLATION_ROWS_MAX; ) {
      const gone = await cancelSlice(parts, { ...filter, low }, reason);
      ended.total += gone.length;
      low = gone.at(-1)?.id;
      for (const { id } of gone) {
        if (ended.first === null || id < ended.first) ended.first = id;
        if (ended.last === null || id > ended.last) ended.last = id;
      }
    }
    if (ended.total === before) break;
  }
  return ended;
}

/**
 * One transaction that ends a slice, and one that lets the next event of each of their videos go: together they would
 * wait for rows while they hold others. Killed between the two, the sweeper lets them go.
 */
async function cancelSlice({ db, signals }: CancellationsParts, filter: store.CancellationFilter, reason: string) {
  const gone = await db.transaction(async (tx) => {
    const gone = await store.cancelSlice(tx, filter, LIMITS.CANCELLATION_SLICE, reason);
    tx.afterCommit(() => announce(signals, gone));
    return gone;
  });
  await db.transaction(async (tx) => {
    const { due } = await releaseNext({ run: tx.last }, gone, null);
    tx.afterCommit(() => {
      for (const webhook of due) signals.emit("due", { webhook });
    });
  });
  return gone;
}

function announce(signals: Signals, gone: readonly store.CanceledDelivery[]): void {
  if (!signals.heard("delivery")) return;
  for (const { space_id: space, webhook_id, id, event_id, sequence, video_id } of gone.slice(
    0,
    LIMITS.CHANGES_BATCH_MAX,
  )) {
    const [webhook, delivery, event] = [shortUuid(webhook_id), shortUuid(id), shortUuid(event_id)];
    signals.emit("delivery", { space, webhook, delivery, event, video: sequence > 0 ? video_id : null });
  }
}

async function filterOf(db: Database, space: string, input: CancellationInput): Promise<store.CancellationFilter> {
  const webhook = input.webhook === undefined ? null : longUuid(input.webhook);
  if (input.webhook !== undefined && (webhook === null || !(await getWebhook(db, space, webhook))))
    throw invalid("/webhook", "There is no webhook with this id.");
  const event = input.event === undefined ? null : longUuid(input.event);
  if (input.event !== undefined && event === null) throw invalid("/event", "There is no event with this id.");
  const { reason: _, ...named } = input;
  if (Object.values(named).every((value) => value === undefined))
    throw invalid("/status", "Nothing is named that narrows it down. To cancel all that is open, say `status: open`.");
  const { video = null, type = null, status = "pending" } = input;
  return { space, webhook, event, video, type, status: status === "pending" ? null : status, ...idRange(input, event) };
}

function invalid(path: string, detail: string): MaveError {
  return new MaveError("REQUEST_INVALID", detail, { errors: [{ path, detail }] });
}

function viewOf(total: number, first: string | null, last: string | null, has_more: boolean): CancellationView {
  const [from, to] = [first && idSeconds(first), last && idSeconds(last)];
  return { object: "cancellation", dry_run: false, total, first: from || null, last: to || null, has_more };
}
