import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { overviewQuery, sessionQuery } from "../api/queries.ts";
import { number } from "../format.ts";
import { useLiveState } from "../live/changes.ts";
import { classes } from "../ui/classes.ts";
import { Logo } from "./logo.tsx";
import { adminItems, mainItems, type NavItem } from "./nav-items.ts";
import { UserMenu } from "./user-menu.tsx";

const row =
  "flex h-8 items-center gap-2.5 rounded-control px-2.5 transition-colors duration-[120ms] max-full:size-10 max-full:justify-center max-full:px-0";

/** The sidebar is 224 px wide. Below 1,100 px it becomes an icon rail, and below 768 px the bottom bar replaces it. */
export function Sidebar({ onSearch, onKeys }: { onSearch: () => void; onKeys: () => void }) {
  const { data: overview } = useQuery(overviewQuery);
  const { data: session } = useQuery(sessionQuery);
  return (
    <aside className="flex w-15 shrink-0 flex-col gap-4 p-2.5 max-rail:hidden full:w-56 full:p-3">
      <div className="flex h-9 items-center gap-2.5 px-2 max-full:justify-center max-full:px-0">
        <Logo />
        <span className="min-w-0 truncate font-semibold max-full:sr-only">{session?.space.name ?? "Mave"}</span>
      </div>
      <SearchButton onSearch={onSearch} />
      <nav aria-label="Main" className="flex flex-col gap-0.5">
        {mainItems.map((item) => (
          <NavLink
            key={item.to}
            item={item}
            failing={item.to === "/webhooks" ? (overview?.webhooks.failing ?? 0) : 0}
          />
        ))}
      </nav>
      <nav aria-label="Administration" className="flex flex-col gap-0.5">
        {adminItems.map((item) => (
          <NavLink key={item.to} item={item} />
        ))}
      </nav>
      <div className="mt-auto flex flex-col gap-1">
        <DeliveryRate perSecond={overview?.deliveries.per_second} />
        <UserMenu onKeys={onKeys} />
      </div>
    </aside>
  );
}

function SearchButton({ onSearch }: { onSearch: () => void }) {
  return (
    <button
      type="button"
      onClick={onSearch}
      className="flex h-8 items-center gap-2 rounded-control bg-surface px-2.5 text-text-3 shadow-[inset_0_0_0_1px_var(--line)] hover:text-text max-full:size-10 max-full:justify-center max-full:px-0"
    >
      <Search size={14} aria-hidden />
      <span className="flex-1 text-left max-full:sr-only">Search or jump to</span>
      <kbd className="rounded-tag px-1 font-sans text-meta shadow-[inset_0_0_0_1px_var(--line)] max-full:hidden">
        ⌘K
      </kbd>
    </button>
  );
}

function NavLink({ item: { label, to, icon: Icon }, failing = 0 }: { item: NavItem; failing?: number }) {
  return (
    <Link
      to={to}
      title={label}
      className={classes(row, "relative")}
      activeProps={{ className: "bg-nav-active font-medium text-text" }}
      inactiveProps={{ className: "text-text-2 hover:bg-nav-active/60 hover:text-text" }}
    >
      <Icon size={16} className="shrink-0" aria-hidden />
      <span className="flex-1 max-full:sr-only">{label}</span>
      {failing > 0 && (
        <span
          title={`${number(failing)} failing`}
          className="rounded-tag bg-bad-tint px-1.5 text-meta font-medium text-bad numbers max-full:absolute max-full:-top-0.5 max-full:-right-0.5"
        >
          {number(failing)}
          <span className="sr-only"> failing</span>
        </span>
      )}
    </Link>
  );
}

/** Shows the current delivery rate, or "Reconnecting" while the change stream is disconnected. */
function DeliveryRate({ perSecond }: { perSecond: number | undefined }) {
  const { state } = useLiveState();
  if (perSecond === undefined) return null;
  const rate = Math.round(perSecond);
  const label =
    state === "reconnecting" ? "Reconnecting" : rate === 0 ? "Idle" : `Delivering ${number(rate)} per second`;
  const mark = state === "reconnecting" ? "bg-mark-warn" : rate === 0 ? "bg-bar" : "bg-mark-ok";
  return (
    <p
      className="flex h-7 items-center gap-2 px-2.5 text-meta text-text-2 numbers max-full:justify-center max-full:px-0"
      title={label}
    >
      <span className={classes("size-2 shrink-0 rounded-full", mark)} aria-hidden />
      <span className="truncate max-full:sr-only">{label}</span>
    </p>
  );
}
