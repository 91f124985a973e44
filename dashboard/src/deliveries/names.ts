/** Looks up the names of webhooks and videos for rows that contain only IDs. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import { videoQuery, webhooksQuery } from "../api/queries.ts";
import type { List, Video, Webhook } from "../api/types.ts";

const NAMES_MS = 300_000;
/** The maximum number of videos to fetch individually because they are not among the newest 100. */
const SINGLES_MAX = 20;

export const webhookName = ({ description, url }: Pick<Webhook, "description" | "url">): string =>
  description || url.replace(/^https?:\/\//, "");

/** @returns a function that maps a webhook's ID to its name, or to undefined if the name is not known */
export function useWebhookNames(): (id: string) => string | undefined {
  const { data } = useQuery({ ...webhooksQuery, staleTime: NAMES_MS });
  const names = new Map(data?.data.map((webhook) => [webhook.id, webhookName(webhook)]));
  return (id) => names.get(id);
}

/** @returns a function that maps a video's ID to its name, or to the ID itself if there is no name */
export function useVideoNames(ids: (string | null)[]): (id: string) => string {
  const { data, isPending } = useQuery({
    queryKey: ["video-names"],
    queryFn: ({ signal }) => api.get<List<Video>>("/v1/videos", { limit: 100 }, signal),
    staleTime: NAMES_MS,
  });
  const names = new Map(data?.data.map(({ id, name }) => [id, name]));
  const unknown = isPending
    ? []
    : [...new Set(ids)].filter((id) => id !== null && !names.has(id)).slice(0, SINGLES_MAX);
  const singles = useQueries({
    queries: unknown.map((id) => ({ ...videoQuery(id as string), staleTime: NAMES_MS, retry: false })),
  });
  for (const { data: video } of singles) if (video) names.set(video.id, video.name);
  return (id) => names.get(id) || id;
}
