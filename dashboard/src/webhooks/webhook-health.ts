import { queryOptions, useQuery } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import { healthQuery } from "../api/queries.ts";
import type { Delivery, List, Webhook } from "../api/types.ts";
import type { Known } from "./webhook-problems.ts";

const LOOKED_AT = 20;
const OPEN_KNOWN_MAX = 100;

/** The newest deliveries of a webhook: their first with an attempt tells its last response. */
const lastQuery = (webhook: string) =>
  queryOptions({
    queryKey: ["health", webhook, "last"],
    queryFn: ({ signal }) => api.get<List<Delivery>>("/v1/deliveries", { webhook, limit: LOOKED_AT }, signal),
    select: ({ data }) => data.filter(({ last_attempt }) => last_attempt).sort(byLastAttempt)[0],
  });

const byLastAttempt = (a: Delivery, b: Delivery) => (b.last_attempt?.started ?? 0) - (a.last_attempt?.started ?? 0);

export function useKnown(webhook: Webhook): Known {
  const { data: health } = useQuery(healthQuery(webhook.id));
  const { data: last } = useQuery(lastQuery(webhook.id));
  return { webhook, health, last };
}

/** The open delivery that is due next; undefined where more are open than one page tells. */
export const nextQuery = (webhook: string) =>
  queryOptions({
    queryKey: ["health", webhook, "next"],
    queryFn: ({ signal }) =>
      api.get<List<Delivery>>("/v1/deliveries", { webhook, status: "pending", limit: OPEN_KNOWN_MAX }, signal),
    select: ({ data, has_more }) => ({
      next: has_more ? undefined : data.filter(({ next_attempt }) => next_attempt !== null).sort(byNextAttempt)[0],
      retrying: has_more ? undefined : data.filter(({ status }) => status === "retrying").length,
      // The oldest is last: the one to try, since the others of its video wait for it.
      oldest: data.findLast(({ status }) => status === "retrying"),
    }),
  });

const byNextAttempt = (a: Delivery, b: Delivery) => (a.next_attempt ?? 0) - (b.next_attempt ?? 0);
