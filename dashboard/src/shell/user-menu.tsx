import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { BookOpen, Keyboard, LogOut, Monitor, Moon, Sun } from "lucide-react";
import { api } from "../api/client.ts";
import { sessionQuery } from "../api/queries.ts";
import { Menu, type MenuItem } from "../ui/menu.tsx";
import { setTheme, type Theme, useTheme } from "./theme.ts";

const initials = (name: string): string =>
  name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => word.charAt(0).toUpperCase())
    .join("");

const themes = [
  { label: "Light", value: "light", icon: Sun },
  { label: "Dark", value: "dark", icon: Moon },
  { label: "System", value: "system", icon: Monitor },
] as const satisfies { label: string; value: Theme; icon: typeof Sun }[];

/** The menu items shared by the sidebar and the "More" menu on a phone. */
export function useUserMenuItems(onKeys?: () => void): MenuItem[] {
  const current = useTheme();
  const signOut = useSignOut();
  const themeItems = themes.map(({ label, value, icon }, at) => ({
    label,
    icon,
    apart: at === 0,
    end: current === value ? "✓" : "",
    onSelect: () => setTheme(value),
  }));
  return [
    { label: "API reference", icon: BookOpen, onSelect: () => window.open("/docs", "_blank", "noopener") },
    ...(onKeys ? [{ label: "Keyboard shortcuts", icon: Keyboard, end: "?", onSelect: onKeys }] : []),
    ...themeItems,
    { label: "Sign out", icon: LogOut, apart: true, onSelect: signOut },
  ];
}

function useSignOut() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  return async () => {
    const { abandonUploads } = await import("../uploads/upload-queue.ts");
    await abandonUploads();
    await api.delete("/v1/session");
    await navigate({ to: "/sign-in" });
    queries.clear();
  };
}

export function UserMenu({ onKeys }: { onKeys: () => void }) {
  const { data: session } = useQuery(sessionQuery);
  const items = useUserMenuItems(onKeys);
  const name = session?.user.name ?? "";
  const trigger = (
    <button
      type="button"
      className="flex h-9 items-center gap-2.5 rounded-control px-2 text-left hover:bg-nav-active/60 max-full:size-10 max-full:justify-center max-full:px-0"
    >
      <span
        className="grid size-6 shrink-0 place-items-center rounded-full bg-accent-tint text-[10px] font-semibold text-accent"
        aria-hidden
      >
        {initials(name)}
      </span>
      <span className="min-w-0 flex-1 truncate max-full:sr-only">
        {name}
        <span className="sr-only">, account menu</span>
      </span>
    </button>
  );
  return <Menu trigger={trigger} items={items} side="top" align="start" />;
}
