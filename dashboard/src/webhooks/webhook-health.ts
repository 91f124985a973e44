import { queryOptions, useQuery } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import { healthQuery } from "../api/queries.ts";
import type { Delivery, List, Webhook } from "../api/types.ts";
import type { MonitoredWebhook } from "./webhook-problems.ts";

const NEWEST = 20;
const PENDING_MAX = 100;

export function useMonitored(webhook: Webhook): MonitoredWebhook {
  const { data: health } = useQuery(healthQuery(webhook.id));
  const { data: last } = useQuery(lastAttemptedQuery(webhook.id));
  return { webhook, health, last };
}

/** Finds the delivery with the most recent attempt among the webhook's newest deliveries. */
const lastAttemptedQuery = (webhook: string) =>
  queryOptions({
    queryKey: ["health", webhook, "last"],
    queryFn: ({ signal }) => api.get<List<Delivery>>("/v1/deliveries", { webhook, limit: NEWEST }, signal),
    select: ({ data }) => data.filter(({ last_attempt }) => last_attempt).sort(byLastAttempt)[0],
  });

const byLastAttempt = (a: Delivery, b: Delivery) => (b.last_attempt?.started ?? 0) - (a.last_attempt?.started ?? 0);

/** Summarizes the pending deliveries. `next` and `retrying` are undefined if the deliveries do not fit on one page. */
export const backlogQuery = (webhook: string) =>
  queryOptions({
    queryKey: ["health", webhook, "backlog"],
    queryFn: ({ signal }) =>
      api.get<List<Delivery>>("/v1/deliveries", { webhook, status: "pending", limit: PENDING_MAX }, signal),
    select: ({ data, has_more }) => ({
      next: has_more ? undefined : data.filter(({ next_attempt }) => next_attempt !== null).sort(byNextAttempt)[0],
      retrying: has_more ? undefined : data.filter(({ status }) => status === "retrying").length,
      // The list is newest first, so the last match is the oldest. Later events for the same video wait for it.
      oldest: data.findLast(({ status }) => status === "retrying"),
    }),
  });

const byNextAttempt = (a: Delivery, b: Delivery) => (a.next_attempt ?? 0) - (b.next_attempt ?? 0);
