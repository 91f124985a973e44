/** What can be done with all deliveries of a filter, and what to ask the API for it. Pure. */
import type { DeliverySearch } from "../shell/search.ts";
import type { CancelFilter } from "./cancel.ts";

const FINISHED = ["succeeded", "failed", "canceled"];
const CANCELABLE = ["waiting", "retrying", "held", "open"] as const;

export interface ReplayBody {
  webhook: string;
  since: number;
  until: number;
  statuses: string[];
  types?: string[];
  video?: string;
}

/** The replay of what the filter shows, or a sentence that says why there is none. */
export function replayOf(search: DeliverySearch, now: number): ReplayBody | string {
  const { status, webhook, type, video, since = 0, until = now, event, answer } = search;
  if (status !== undefined && !FINISHED.includes(status)) return "What is open is sent anyway. Choose finished ones.";
  if (event !== undefined || answer !== undefined)
    return "A replay cannot tell events by their answer or pick one of them. Remove that filter first.";
  if (webhook === undefined) return "Events are sent again to one webhook. Choose it in the filter first.";
  const statuses = status === undefined ? FINISHED : [status];
  return { webhook, since, until, statuses, ...(type && { types: [type] }), ...(video && { video }) };
}

/** The cancelation of what the filter shows and is open, or a sentence that says why there is none. */
export function cancelationOf(search: DeliverySearch): CancelFilter | string {
  const { answer, status = "open", ...rest } = search;
  if (answer !== undefined) return "Open deliveries cannot be told by their answer. Remove that filter first.";
  const open = CANCELABLE.find((word) => word === status);
  if (open === undefined) return "Only open deliveries can be canceled. Choose the state Open.";
  return { ...rest, status: open };
}
