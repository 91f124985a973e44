import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Ellipsis, Search } from "lucide-react";
import { overviewQuery } from "../api/queries.ts";
import { Menu } from "../ui/menu.tsx";
import { main, rest } from "./nav-items.ts";
import { usePersonItems } from "./user-menu.tsx";

const PLACES_SHOWN = 3;
const cell = "relative flex h-14 flex-1 flex-col items-center justify-center gap-1 text-[11px]/4 outline-offset-[-2px]";

/** On a phone: the three places one goes to most, the others behind "More". */
export function BottomBar({ onSearch }: { onSearch: () => void }) {
  const navigate = useNavigate();
  const { data: overview } = useQuery(overviewQuery);
  const person = usePersonItems();
  const others = [...main.slice(PLACES_SHOWN), ...rest];
  const items = [
    { word: "Search or jump to", icon: Search, onSelect: onSearch },
    ...others.map(({ word, icon, to }, at) => ({ word, icon, apart: at === 0, onSelect: () => void navigate({ to }) })),
    ...person.map((item, at) => ({ ...item, apart: item.apart ?? at === 0 })),
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
      {main.slice(0, PLACES_SHOWN).map(({ word, to, icon: Icon }) => (
        <Link
          key={to}
          to={to}
          className={cell}
          activeProps={{ className: "font-medium text-text" }}
          inactiveProps={{ className: "text-text-2" }}
        >
          <Icon size={18} aria-hidden />
          {word}
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
