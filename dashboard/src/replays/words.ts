/** A replay in words. Pure. */
import { CircleCheck, CirclePause, CircleSlash2, LoaderCircle } from "lucide-react";
import type { Replay } from "../api/types.ts";
import { moment, number, plural, span } from "../format.ts";
import type { State } from "../ui/status.tsx";

const STATES: Record<Replay["status"], State> = {
  running: { word: "Running", icon: LoaderCircle, tone: "busy" },
  paused: { word: "Paused", icon: CirclePause, tone: "quiet" },
  done: { word: "Done", icon: CircleCheck, tone: "good" },
  canceled: { word: "Canceled", icon: CircleSlash2, tone: "quiet" },
  dry_run: { word: "Counted", icon: CircleCheck, tone: "quiet" },
};

export const replayState = ({ status }: Pick<Replay, "status">): State => STATES[status];

/** "1,204 events, about 25 s" */
export function size({ total, rate }: Pick<Replay, "total" | "rate">): string {
  const events = plural(total, "event");
  if (total === 0 || rate === null) return events;
  return `${events}, about ${span(Math.ceil(total / rate))}`;
}

export const range = ({ since, until }: Pick<Replay, "since" | "until">, now: number): string =>
  `${moment(since, now)} to ${moment(until, now)}`;

export function choice({ statuses, types, video }: Pick<Replay, "statuses" | "types" | "video">): string {
  const which = statuses === null ? "All events" : `Events whose delivery ${statuses.map(ended).join(" or ")}`;
  const kinds = types === null ? "" : ` of ${types.join(", ")}`;
  return `${which}${kinds}${video === null ? "" : ` about ${video}`}`;
}

const ended = (status: string): string =>
  status === "never" ? "never existed" : status === "canceled" ? "was canceled" : status;

/** Events that are being delivered anyway are passed over: walked, but not counted. */
export const progress = ({ done, total }: Pick<Replay, "done" | "total">): string =>
  `${number(Math.min(done, total))} of ${number(total)}`;
