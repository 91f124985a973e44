import { api } from "../api/client.ts";
import type { Cancelation } from "../api/types.ts";

/** Which open deliveries, as `POST /v1/cancelations` takes it. */
export interface CancelFilter {
  webhook?: string | undefined;
  event?: string | undefined;
  video?: string | undefined;
  type?: string | undefined;
  status?: "waiting" | "retrying" | "held" | "open" | undefined;
  since?: number | undefined;
  until?: number | undefined;
  reason?: string | undefined;
}

export const countCancel = (filter: CancelFilter) =>
  api.post<Cancelation>("/v1/cancelations", { ...filter, dry_run: true });

/** Cancels all of them, however many requests that takes. @returns how many */
export async function cancelAll(filter: CancelFilter): Promise<number> {
  let total = 0;
  for (let more = true; more; ) {
    const done = await api.post<Cancelation>("/v1/cancelations", filter);
    total += done.total;
    more = done.has_more;
  }
  return total;
}
