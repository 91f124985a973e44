/** Builds bulk action requests from the filters of the deliveries list, and sends cancellations. */
import { api } from "../api/client.ts";
import type { Cancellation } from "../api/types.ts";
import type { DeliverySearch } from "../shell/search-params.ts";

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

/** The body of `POST /v1/cancellations`. */
export interface CancellationBody {
  webhook?: string | undefined;
  event?: string | undefined;
  video?: string | undefined;
  type?: string | undefined;
  status?: (typeof CANCELABLE)[number] | undefined;
  since?: number | undefined;
  until?: number | undefined;
  reason?: string | undefined;
}

/** Why a bulk action does not support the current filters, and which filter to remove if that would help. */
export interface Unsupported {
  why: string;
  remove?: "status" | "response";
}

export const isUnsupported = (request: object): request is Unsupported => "why" in request;

/**
 * Returns the request for a replay that sends the matching deliveries again. A replay selects a webhook's events by
 * time, delivery status, type, and video. Any other filter is unsupported, because the replay would ignore it and send
 * more deliveries than the list shows.
 */
export function replayOf(search: DeliverySearch, now: number): ReplayBody | Unsupported {
  const { status, webhook, type, video, since = 0, until = now, event, response } = search;
  if (status !== undefined && !FINISHED.includes(status)) return { why: REPLAY_PENDING, remove: "status" };
  if (event !== undefined) return { why: REPLAY_EVENT };
  if (response !== undefined) return { why: REPLAY_RESPONSE, remove: "response" };
  if (webhook === undefined) return { why: REPLAY_WEBHOOK };
  const statuses = status === undefined ? FINISHED : [status];
  return { webhook, since, until, statuses, ...(type && { types: [type] }), ...(video && { video }) };
}

const REPLAY_PENDING =
  "Pending deliveries are sent automatically. Remove the status filter, or choose a finished status.";
const REPLAY_EVENT = "This list shows the deliveries of a single event. Open each delivery to send it again.";
const REPLAY_RESPONSE =
  "A replay selects deliveries by status, not by response. Remove the response filter and choose Failed to select every delivery that never got a 2xx.";
const REPLAY_WEBHOOK =
  "A replay sends events to a single webhook, so that it can follow that webhook's ordering and be paused or canceled. Choose a webhook in the filter first.";

/** Returns the request to cancel the pending deliveries that match the filter. */
export function cancellationOf(search: DeliverySearch): CancellationBody | Unsupported {
  const { response, status: wanted = "pending", ...rest } = search;
  if (response !== undefined) return { why: CANCEL_RESPONSE, remove: "response" };
  const status = CANCELABLE.find((one) => one === wanted);
  return status === undefined ? { why: CANCEL_STATUS, remove: "status" } : { ...rest, status };
}

const CANCEL_RESPONSE =
  "Deliveries are canceled by status, not by last response. Pending deliveries whose last attempt failed have the Retrying status.";
const CANCEL_STATUS = "Only pending deliveries that are not being sent right now can be canceled.";

export const previewCancellation = (body: CancellationBody) =>
  api.post<Cancellation>("/v1/cancellations", { ...body, dry_run: true });

/** Repeats the request until no matching deliveries are left. @returns how many deliveries were canceled */
export async function cancelAll(body: CancellationBody): Promise<number> {
  let total = 0;
  for (let more = true; more; ) {
    const done = await api.post<Cancellation>("/v1/cancellations", body);
    total += done.total;
    more = done.has_more;
  }
  return total;
}
