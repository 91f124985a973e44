import { api } from "../api/client.ts";
import type { Cancellation } from "../api/types.ts";

/** Which open deliveries, as `POST /v1/cancellations` takes it. */
export interface CancelFilter {
  webhook?: string | undefined;
  event?: string | undefined;
  video?: string | undefined;
  type?: string | undefined;
  status?: "waiting" | "retrying" | "held" | "pending" | undefined;
  since?: number | undefined;
  until?: number | undefined;
  reason?: string | undefined;
}

export const countCancel = (filter: CancelFilter) =>
  api.post<Cancellation>("/v1/cancellations", { ...filter, dry_run: true });

/** Cancels all of them, however many requests that takes. @returns how many */
export async function cancelAll(filter: CancelFilter): Promise<number> {
  let total = 0;
  for (let more = true; more; ) {
    const done = await api.post<Cancellation>("/v1/cancellations", filter);
    total += done.total;
    more = done.has_more;
  }
  return total;
}
