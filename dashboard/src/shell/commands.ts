/** What the palette offers: pages, actions, webhooks and videos by name, and the page of a pasted id. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Film, Hash, type LucideIcon, Moon, Plus, Send, Upload, Webhook as WebhookIcon, Zap } from "lucide-react";
import { api } from "../api/client.ts";
import { webhooksQuery } from "../api/queries.ts";
import type { List, Video, Webhook } from "../api/types.ts";
import { main, rest } from "./nav-items.ts";
import { setTheme } from "./theme.ts";

export interface Command {
  id: string;
  word: string;
  icon: LucideIcon;
  end?: string;
  run: () => void;
}
export interface CommandGroup {
  value: string;
  items: Command[];
}

const FOUND_MAX = 6;
const VIDEO_ID = /^[0-9A-Za-z]{10}$/;
const SHORT_UUID = /^[2-9A-HJ-NP-Za-km-z]{22}$/;

export function useCommands(text: string): CommandGroup[] {
  const wanted = text.trim().toLowerCase();
  const matches = (command: Command) => command.word.toLowerCase().includes(wanted);
  const fixed = [
    { value: "Go to", items: usePages() },
    { value: "Do", items: useActions() },
  ].map(({ value, items }) => ({ value, items: items.filter(matches) }));
  const groups = [{ value: "Open", items: useOpeners(text.trim()) }, ...fixed, ...useFound(wanted)];
  return groups.filter(({ items }) => items.length > 0);
}

function usePages(): Command[] {
  const navigate = useNavigate();
  return [...main, ...rest].map(({ word, icon, to, key }) => ({
    id: to,
    word,
    icon,
    ...(key && { end: `G then ${key.toUpperCase()}` }),
    run: () => void navigate({ to }),
  }));
}

function useActions(): Command[] {
  const navigate = useNavigate();
  return [
    {
      id: "new-webhook",
      word: "New webhook",
      icon: Plus,
      end: "C then W",
      run: () => void navigate({ to: "/webhooks/new" }),
    },
    {
      id: "upload",
      word: "Upload a video",
      icon: Upload,
      end: "C then V",
      run: () => void navigate({ to: "/videos", search: { upload: true } }),
    },
    { id: "light", word: "Theme: light", icon: Moon, run: () => setTheme("light") },
    { id: "dark", word: "Theme: dark", icon: Moon, run: () => setTheme("dark") },
    { id: "system", word: "Theme: as the system", icon: Moon, run: () => setTheme("system") },
  ];
}

/** An id says by its length whether it is a video's; the other kinds share one form, so each is offered. */
function useOpeners(text: string): Command[] {
  const navigate = useNavigate();
  const opener = (kind: string, icon: LucideIcon, run: () => void) => ({
    id: `open-${kind}`,
    word: `${kind} ${text}`,
    icon,
    run,
  });
  const params = { id: text };
  if (VIDEO_ID.test(text)) return [opener("Video", Film, () => void navigate({ to: "/videos/$id", params }))];
  if (!SHORT_UUID.test(text)) return [];
  return [
    opener("Delivery", Send, () => void navigate({ to: "/deliveries/$id", params })),
    opener("Event", Zap, () => void navigate({ to: "/events/$id", params })),
    opener("Webhook", WebhookIcon, () => void navigate({ to: "/webhooks/$id", params })),
    opener("Replay", Hash, () => void navigate({ to: "/replays/$id", params })),
  ];
}

function useFound(wanted: string): CommandGroup[] {
  const navigate = useNavigate();
  const { data: webhooks } = useQuery(webhooksQuery);
  const { data: videos } = useQuery({
    queryKey: ["video", "found", wanted],
    queryFn: ({ signal }) => api.get<List<Video>>("/v1/videos", { q: wanted, limit: FOUND_MAX }, signal),
    enabled: wanted.length > 0,
    placeholderData: keepPreviousData,
  });
  if (wanted === "") return [];
  const named = (webhook: Webhook) => `${webhook.description ?? ""} ${webhook.url}`.toLowerCase().includes(wanted);
  const webhook = ({ id, description, url }: Webhook): Command => ({
    id,
    word: description || url,
    icon: WebhookIcon,
    run: () => void navigate({ to: "/webhooks/$id", params: { id } }),
  });
  const video = ({ id, name }: Video): Command => ({
    id,
    word: name || id,
    icon: Film,
    end: id,
    run: () => void navigate({ to: "/videos/$id", params: { id } }),
  });
  return [
    { value: "Webhooks", items: (webhooks?.data ?? []).filter(named).slice(0, FOUND_MAX).map(webhook) },
    { value: "Videos", items: (videos?.data ?? []).map(video) },
  ];
}
