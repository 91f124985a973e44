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

/** Before it is canceled: what has been handed over and waits is taken back, too, and not counted by the replay. */
export function cancelWords({ total, done }: Pick<Replay, "done" | "total">): string {
  const left = Math.max(0, total - done);
  const rest = left === 0 ? "" : `${plural(left, "event")} will not be sent. `;
  return `${rest}What was handed to delivery and has not arrived yet is taken back; what is being sent right now still arrives.`;
}

export const range = ({ since, until }: Pick<Replay, "since" | "until">, now: number): string =>
  since === 0 ? `All before ${moment(until, now)}` : `${moment(since, now)} to ${moment(until, now)}`;

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
