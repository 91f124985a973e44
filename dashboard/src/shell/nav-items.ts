/** The pages in sidebar order. The command palette and the shortcuts use the same list. */
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

export interface NavItem {
  label: string;
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
  /** The key to press after G. */
  key?: string;
}

export const mainItems: NavItem[] = [
  { label: "Videos", to: "/videos", icon: Film, key: "v" },
  { label: "Webhooks", to: "/webhooks", icon: Webhook, key: "w" },
  { label: "Deliveries", to: "/deliveries", icon: Send, key: "d" },
  { label: "Events", to: "/events", icon: Zap, key: "e" },
  { label: "Replays", to: "/replays", icon: History, key: "r" },
];

export const adminItems: NavItem[] = [
  { label: "API keys", to: "/api-keys", icon: KeyRound },
  { label: "Members", to: "/members", icon: Users },
  { label: "Debugger", to: "/debugger", icon: ShieldCheck },
  { label: "Audit log", to: "/audit-log", icon: ScrollText },
  { label: "Settings", to: "/settings", icon: Settings },
];
