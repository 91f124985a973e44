import { unixSeconds } from "../kernel/clock.ts";
import type { EventType } from "../kernel/event-catalog.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import type { ReplayedStatus, ReplayRow, ReplayStatus } from "../store/replays.ts";

/**
 * A replay: durable work that delivers past events again, and how it is shown. Pure.
 *
 *     running ⇄ paused          each ──a person──▶ canceled
 *        └──all walked──▶ done
 */
/** The API's object for a replay. Times are Unix seconds. */
export interface ReplayView {
  id: string;
  object: "replay";
  created: number;
  webhook: string;
  since: number;
  until: number;
  statuses: ReplayedStatus[] | null;
  types: EventType[] | null;
  video: string | null;
  rate: number | null;
  status: ReplayStatus;
  total: number;
  done: number;
  first: number | null;
  last: number | null;
  finished: number | null;
}

/** A count of what a replay would do. It has no id: nothing of it is kept. */
export type DryRun = Omit<ReplayView, "id" | "status"> & { id: null; status: "dry_run" };

export function presentReplay(row: ReplayRow): ReplayView {
  return {
    id: shortUuid(row.id),
    object: "replay",
    created: seconds(row.created_at),
    webhook: shortUuid(row.webhook_id),
    since: seconds(row.since),
    until: seconds(row.until),
    statuses: row.statuses,
    types: row.types,
    video: row.video_id,
    rate: row.rate,
    status: row.status,
    total: row.total,
    done: row.done,
    first: row.first_at && seconds(row.first_at),
    last: row.last_at && seconds(row.last_at),
    finished: row.finished_at && seconds(row.finished_at),
  };
}

/**
 * How many events a replay may walk now.
 * @param open its deliveries that are open
 * @param window how many of them may be
 * @param rate per second; null: only the window bounds it
 * @param idle_s since it last opened some
 */
export function allowance(open: number, window: number, rate: number | null, idle_s: number): number {
  const free = Math.max(0, window - open);
  // A replay that stood still for a while goes on at its rate, it does not catch up: at most one second's worth at once.
  return rate === null ? free : Math.min(free, Math.floor(rate * Math.min(1, Math.max(0, idle_s))));
}

const seconds = (time: Date): number => unixSeconds(time.getTime());
