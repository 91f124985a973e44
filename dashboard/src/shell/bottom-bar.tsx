import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Ellipsis, Search } from "lucide-react";
import { overviewQuery } from "../api/queries.ts";
import { Menu } from "../ui/menu.tsx";
import { adminItems, mainItems } from "./nav-items.ts";
import { useUserMenuItems } from "./user-menu.tsx";

const SHOWN_ITEMS = 3;
const cell = "relative flex h-14 flex-1 flex-col items-center justify-center gap-1 text-[11px]/4 outline-offset-[-2px]";

/** Navigation on a phone: the first three pages, and a "More" menu for the rest. */
export function BottomBar({ onSearch }: { onSearch: () => void }) {
  const navigate = useNavigate();
  const { data: overview } = useQuery(overviewQuery);
  const userItems = useUserMenuItems();
  const others = [...mainItems.slice(SHOWN_ITEMS), ...adminItems];
  const items = [
    { label: "Search or jump to", icon: Search, onSelect: onSearch },
    ...others.map(({ label, icon, to }, at) => ({
      label,
      icon,
      apart: at === 0,
      onSelect: () => void navigate({ to }),
    })),
    ...userItems.map((item, at) => ({ ...item, apart: item.apart ?? at === 0 })),
  ];
  const more = (
    <button type="button" className={`${cell} text-text-2`}>
      <Ellipsis size={18} aria-hidden />
      More
    </button>
  );
  return (
    <nav
      aria-label="Main"
      className="flex shrink-0 border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] rail:hidden"
    >
      {mainItems.slice(0, SHOWN_ITEMS).map(({ label, to, icon: Icon }) => (
        <Link
          key={to}
          to={to}
          className={cell}
          activeProps={{ className: "font-medium text-text" }}
          inactiveProps={{ className: "text-text-2" }}
        >
          <Icon size={18} aria-hidden />
          {label}
          {to === "/webhooks" && (overview?.webhooks.failing ?? 0) > 0 && (
            <span
              className="absolute top-2 left-[calc(50%+10px)] size-2 rounded-full bg-mark-bad"
              role="img"
              aria-label="A webhook is failing"
            />
          )}
        </Link>
      ))}
      <Menu trigger={more} items={items} side="top" align="end" />
    </nav>
  );
}
