import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import type { Delivery, List, MaveEvent, Video, Webhook } from "../api/types.ts";

const PAGE = 50;
const EVENTS_SHOWN = 50;
const DELIVERIES_READ = 100;

export interface VideoFilter {
  status?: string | undefined;
  q?: string | undefined;
}

export const videosQuery = ({ status, q }: VideoFilter) =>
  infiniteQueryOptions({
    queryKey: ["video", "list", status ?? "", q ?? ""],
    queryFn: ({ pageParam, signal }) =>
      api.get<List<Video>>("/v1/videos", { status, q, limit: PAGE, after: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });

/** Fetches a video's newest events, each with its deliveries. */
export const eventHistoryQuery = (video: string) =>
  queryOptions({
    queryKey: ["video", "event-history", video],
    queryFn: async ({ signal }) => {
      const [events, deliveries] = await Promise.all([
        api.get<List<MaveEvent>>("/v1/events", { video, order: "desc", limit: EVENTS_SHOWN }, signal),
        api.get<List<Delivery>>("/v1/deliveries", { video, limit: DELIVERIES_READ }, signal),
      ]);
      return { events: events.data, more: events.has_more, deliveries: deliveries.data };
    },
  });

/** Returns only the path of a URL on this server, because its host may differ from the dashboard's. */
export const localPath = (url: string): string => new URL(url, location.href).pathname;

export const titleOf = ({ name, id }: Pick<Video, "name" | "id">): string => name || id;

/** Returns the number of webhooks that receive events of this type. */
export const webhooksFor = (webhooks: readonly Webhook[], type: Webhook["events"][number]): number =>
  webhooks.filter(({ events }) => events.includes(type)).length;

/** Returns the `<iframe>` to embed. Its only user input is the video's name, which is escaped. */
export function embedCode({ embed_url, name, id, width, height }: Video): string {
  const title = (name || id).replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");
  const ratio = width && height ? `${width}/${height}` : "16/9";
  return `<iframe src="${embed_url}" title="${title}" style="aspect-ratio:${ratio};width:100%;border:0" allow="autoplay; fullscreen; picture-in-picture; encrypted-media" allowfullscreen loading="lazy"></iframe>`;
}
