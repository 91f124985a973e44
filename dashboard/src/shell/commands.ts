/** The palette's commands: pages, actions, webhooks and videos by name, and the page for a pasted ID. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Film, Hash, type LucideIcon, Moon, Plus, Send, Upload, Webhook as WebhookIcon, Zap } from "lucide-react";
import { api } from "../api/client.ts";
import { webhooksQuery } from "../api/queries.ts";
import type { List, Video, Webhook } from "../api/types.ts";
import { adminItems, mainItems } from "./nav-items.ts";
import { setTheme } from "./theme.ts";

export interface Command {
  id: string;
  label: string;
  icon: LucideIcon;
  /** A shortcut or an ID, shown at the end of the row. */
  hint?: string;
  run: () => void;
}
export interface CommandGroup {
  value: string;
  items: Command[];
}

const RESULTS_MAX = 6;
const VIDEO_ID = /^[0-9A-Za-z]{10}$/;
const SHORT_UUID = /^[2-9A-HJ-NP-Za-km-z]{22}$/;

export function useCommands(text: string): CommandGroup[] {
  const query = text.trim().toLowerCase();
  const matches = (command: Command) => command.label.toLowerCase().includes(query);
  const fixed = [
    { value: "Go to", items: usePages() },
    { value: "Actions", items: useActions() },
  ].map(({ value, items }) => ({ value, items: items.filter(matches) }));
  const groups = [{ value: "Open", items: useIdCommands(text.trim()) }, ...fixed, ...useSearchResults(query)];
  return groups.filter(({ items }) => items.length > 0);
}

function usePages(): Command[] {
  const navigate = useNavigate();
  return [...mainItems, ...adminItems].map(({ label, icon, to, key }) => ({
    id: to,
    label,
    icon,
    ...(key && { hint: `G then ${key.toUpperCase()}` }),
    run: () => void navigate({ to }),
  }));
}

function useActions(): Command[] {
  const navigate = useNavigate();
  return [
    {
      id: "new-webhook",
      label: "Create webhook",
      icon: Plus,
      hint: "C then W",
      run: () => void navigate({ to: "/webhooks/new" }),
    },
    {
      id: "upload",
      label: "Upload video",
      icon: Upload,
      hint: "C then V",
      run: () => void navigate({ to: "/videos", search: { upload: true } }),
    },
    { id: "light", label: "Use light theme", icon: Moon, run: () => setTheme("light") },
    { id: "dark", label: "Use dark theme", icon: Moon, run: () => setTheme("dark") },
    { id: "system", label: "Use system theme", icon: Moon, run: () => setTheme("system") },
  ];
}

/** Only a video ID can be recognized, by its length. For any other ID, the palette offers one command per kind. */
function useIdCommands(text: string): Command[] {
  const navigate = useNavigate();
  const openCommand = (kind: string, icon: LucideIcon, run: () => void) => ({
    id: `open-${kind}`,
    label: `${kind} ${text}`,
    icon,
    run,
  });
  const params = { id: text };
  if (VIDEO_ID.test(text)) return [openCommand("Video", Film, () => void navigate({ to: "/videos/$id", params }))];
  if (!SHORT_UUID.test(text)) return [];
  return [
    openCommand("Delivery", Send, () => void navigate({ to: "/deliveries/$id", params })),
    openCommand("Event", Zap, () => void navigate({ to: "/events/$id", params })),
    openCommand("Webhook", WebhookIcon, () => void navigate({ to: "/webhooks/$id", params })),
    openCommand("Replay", Hash, () => void navigate({ to: "/replays/$id", params })),
  ];
}

function useSearchResults(query: string): CommandGroup[] {
  const navigate = useNavigate();
  const { data: webhooks } = useQuery(webhooksQuery);
  const { data: videos } = useQuery({
    queryKey: ["video", "search", query],
    queryFn: ({ signal }) => api.get<List<Video>>("/v1/videos", { q: query, limit: RESULTS_MAX }, signal),
    enabled: query.length > 0,
    placeholderData: keepPreviousData,
  });
  if (query === "") return [];
  const matches = (webhook: Webhook) => `${webhook.description ?? ""} ${webhook.url}`.toLowerCase().includes(query);
  const webhook = ({ id, description, url }: Webhook): Command => ({
    id,
    label: description || url,
    icon: WebhookIcon,
    run: () => void navigate({ to: "/webhooks/$id", params: { id } }),
  });
  const video = ({ id, name }: Video): Command => ({
    id,
    label: name || id,
    icon: Film,
    hint: id,
    run: () => void navigate({ to: "/videos/$id", params: { id } }),
  });
  return [
    { value: "Webhooks", items: (webhooks?.data ?? []).filter(matches).slice(0, RESULTS_MAX).map(webhook) },
    { value: "Videos", items: (videos?.data ?? []).map(video) },
  ];
}
