/**
 * Queries shared by several pages. Each query key starts with a kind of data, so that refresh.ts can invalidate all
 * queries of that kind.
 */
import { QueryClient, queryOptions } from "@tanstack/react-query";
import { ApiError, api } from "./client.ts";
import type {
  DeliveryWithLog,
  EventType,
  Health,
  List,
  MaveEvent,
  Overview,
  Replay,
  Session,
  Video,
  Webhook,
} from "./types.ts";

const RETRIES_MAX = 2;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (tries, error) => tries < RETRIES_MAX && (!(error instanceof ApiError) || error.problem.status >= 500),
      retryDelay: (tries) => 500 * 2 ** tries,
    },
  },
});

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: () => api.get<Session>("/v1/session"),
  staleTime: 60_000,
});

export const overviewQuery = queryOptions({
  queryKey: ["overview"],
  queryFn: ({ signal }) => api.get<Overview>("/v1/overview", {}, signal),
  refetchInterval: 5_000,
});

/** Fetches all webhooks, because search and counts need all of them. A space has at most 1,000 webhooks. */
export const webhooksQuery = queryOptions({
  queryKey: ["webhook", "list"],
  queryFn: async ({ signal }) => {
    const data: Webhook[] = [];
    for (let after: string | null | undefined; after !== null; ) {
      const page: List<Webhook> = await api.get("/v1/webhooks", { limit: 100, after }, signal);
      data.push(...page.data);
      after = page.has_more ? page.next : null;
    }
    return { data };
  },
});

export const webhookQuery = (id: string) =>
  queryOptions({
    queryKey: ["webhook", "one", id],
    queryFn: ({ signal }) => api.get<Webhook>(`/v1/webhooks/${id}`, {}, signal),
  });

export const healthQuery = (id: string) =>
  queryOptions({
    queryKey: ["health", id, "day"],
    queryFn: ({ signal }) => api.get<Health>(`/v1/webhooks/${id}/health`, {}, signal),
    refetchInterval: 30_000,
  });

export const eventTypesQuery = queryOptions({
  queryKey: ["event-types"],
  queryFn: () => api.get<List<EventType>>("/v1/event-types"),
  staleTime: Number.POSITIVE_INFINITY,
});

export const deliveryQuery = (id: string) =>
  queryOptions({
    queryKey: ["delivery", "one", id],
    queryFn: ({ signal }) => api.get<DeliveryWithLog>(`/v1/deliveries/${id}`, {}, signal),
  });

export const eventQuery = (id: string) =>
  queryOptions({
    queryKey: ["event", "one", id],
    queryFn: ({ signal }) => api.get<MaveEvent>(`/v1/events/${id}`, {}, signal),
  });

export const videoQuery = (id: string) =>
  queryOptions({
    queryKey: ["video", "one", id],
    queryFn: ({ signal }) => api.get<Video>(`/v1/videos/${id}`, {}, signal),
  });

export const replaysQuery = queryOptions({
  queryKey: ["replay", "list"],
  queryFn: ({ signal }) => api.get<List<Replay>>("/v1/replays", { limit: 50 }, signal),
});
