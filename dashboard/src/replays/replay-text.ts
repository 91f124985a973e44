/** Formats replays as text. */
import { CircleCheck, CirclePause, CircleSlash2, LoaderCircle } from "lucide-react";
import type { Replay } from "../api/types.ts";
import { moment, number, plural, span } from "../format.ts";
import type { State } from "../ui/status.tsx";

const STATES: Record<Replay["status"], State> = {
  running: { label: "Running", icon: LoaderCircle, tone: "busy" },
  paused: { label: "Paused", icon: CirclePause, tone: "quiet" },
  done: { label: "Done", icon: CircleCheck, tone: "good" },
  canceled: { label: "Canceled", icon: CircleSlash2, tone: "quiet" },
  dry_run: { label: "Preview", icon: CircleCheck, tone: "quiet" },
};

export const replayState = ({ status }: Pick<Replay, "status">): State => STATES[status];

/** Describes the size of a replay: "1,204 events, about 25 s". */
export function size({ total, rate }: Pick<Replay, "total" | "rate">): string {
  const events = plural(total, "event");
  if (total === 0 || rate === null) return events;
  return `${events}, about ${span(Math.ceil(total / rate))}`;
}

/** Explains what canceling does, without a count of pending deliveries, because the API does not return one. */
export function cancelText({ total, done }: Pick<Replay, "done" | "total">): string {
  const left = Math.max(0, total - done);
  const unsent = left === 0 ? "" : `${plural(left, "event")} will not be sent. `;
  return `${unsent}Pending deliveries of this replay will be canceled. Deliveries that are being sent right now are not affected.`;
}

export const timeRange = ({ since, until }: Pick<Replay, "since" | "until">, now: number): string =>
  since === 0 ? `Before ${moment(until, now)}` : `${moment(since, now)} to ${moment(until, now)}`;

/** Describes the selected events: "Failed or never sent events of type video.uploaded, video k1iFD7h4rW" */
export function selection({ statuses, types, video }: Pick<Replay, "statuses" | "types" | "video">): string {
  const which =
    statuses === null ? "all" : statuses.map((status) => (status === "never" ? "never sent" : status)).join(" or ");
  const ofTypes = types === null ? "" : ` of type ${types.join(", ")}`;
  const ofVideo = video === null ? "" : `, video ${video}`;
  return `${which.charAt(0).toUpperCase()}${which.slice(1)} events${ofTypes}${ofVideo}`;
}

/** Formats the progress. `done` also counts events skipped due to a pending delivery, so it can exceed `total`. */
export const progress = ({ done, total }: Pick<Replay, "done" | "total">): string =>
  `${number(Math.min(done, total))} of ${number(total)}`;
