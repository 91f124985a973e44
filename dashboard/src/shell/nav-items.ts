/** The pages one can go to, in the order of the sidebar; the palette and the keys read the same list. */
import {
  Film,
  History,
  KeyRound,
  type LucideIcon,
  ScrollText,
  Send,
  Settings,
  ShieldCheck,
  Users,
  Webhook,
  Zap,
} from "lucide-react";

export interface Place {
  word: string;
  to:
    | "/videos"
    | "/webhooks"
    | "/deliveries"
    | "/events"
    | "/replays"
    | "/api-keys"
    | "/members"
    | "/debugger"
    | "/audit-log"
    | "/settings";
  icon: LucideIcon;
  /** Second key after G. */
  key?: string;
}

export const main: Place[] = [
  { word: "Videos", to: "/videos", icon: Film, key: "v" },
  { word: "Webhooks", to: "/webhooks", icon: Webhook, key: "w" },
  { word: "Deliveries", to: "/deliveries", icon: Send, key: "d" },
  { word: "Events", to: "/events", icon: Zap, key: "e" },
  { word: "Replays", to: "/replays", icon: History, key: "r" },
];

export const rest: Place[] = [
  { word: "API keys", to: "/api-keys", icon: KeyRound },
  { word: "Members", to: "/members", icon: Users },
  { word: "Debugger", to: "/debugger", icon: ShieldCheck },
  { word: "Audit log", to: "/audit-log", icon: ScrollText },
  { word: "Settings", to: "/settings", icon: Settings },
];
