/** What can be done with all deliveries of a filter, and what to ask the API for it. Pure. */
import type { DeliverySearch } from "../shell/search.ts";
import type { CancelFilter } from "./cancellations.ts";

const FINISHED = ["succeeded", "failed", "canceled"];
const CANCELABLE = ["waiting", "retrying", "held", "pending"] as const;

export interface ReplayBody {
  webhook: string;
  since: number;
  until: number;
  statuses: string[];
  types?: string[];
  video?: string;
}

/** Why nothing can be done with all of a filter, what to do instead, and the part of the filter that is in the way. */
export interface Refusal {
  why: string;
  remove?: "status" | "response";
}

export const isRefusal = (asked: object): asked is Refusal => "why" in asked;

/**
 * The replay of what the filter shows, or why there is none. A replay is a job that goes through the events of one webhook
 * by their time, and knows how each one's delivery ended, not with which response: it never does more than the filter shows.
 */
export function replayOf(search: DeliverySearch, now: number): ReplayBody | Refusal {
  const { status, webhook, type, video, since = 0, until = now, event, response } = search;
  if (status !== undefined && !FINISHED.includes(status))
    return {
      why: "Pending deliveries are sent anyway. Look at all states, or choose a finished one.",
      remove: "status",
    };
  if (event !== undefined) return { why: "These are the deliveries of one event. Open each, and send it again there." };
  if (response !== undefined) return { why: BY_ENDING, remove: "response" };
  if (webhook === undefined) return { why: ONE_WEBHOOK };
  const statuses = status === undefined ? FINISHED : [status];
  return { webhook, since, until, statuses, ...(type && { types: [type] }), ...(video && { video }) };
}

const BY_ENDING =
  "A replay chooses events by how their delivery ended, not by what was answered. Without the filter by response, the state Failed has all that never got a 2xx.";
const ONE_WEBHOOK =
  "A replay goes to one webhook, in order and at a rate of its own, so that it can be paused and canceled for that one. Choose a webhook in the filter first.";

/** The cancellation of what the filter shows and is open, or why there is none. */
export function cancellationOf(search: DeliverySearch): CancelFilter | Refusal {
  const { response, status = "pending", ...rest } = search;
  if (response !== undefined) return { why: BY_STATE, remove: "response" };
  const open = CANCELABLE.find((word) => word === status);
  if (open === undefined)
    return { why: "Only what is open and not being sent just now can be canceled.", remove: "status" };
  return { ...rest, status: open };
}

const BY_STATE =
  "Open deliveries are canceled by their state, not by their last response. Without the filter by response, the state Retrying has all that were answered badly, or not at all.";
