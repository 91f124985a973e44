import { Pause, Play } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { clockTime, number, plural } from "../format.ts";
import { useShortcuts } from "../shell/shortcuts.ts";
import { IconButton } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { useLiveState } from "./changes.ts";
import type { LiveList } from "./live-list.ts";

const ANNOUNCE_INTERVAL_MS = 10_000;

/** Shows how up to date the rows are: "Live", "Paused, 12 new", or "Reconnecting, data as of 14:03:08". */
export function LiveIndicator({ list }: { list: LiveList<{ id: string }> }) {
  const { state, asOf } = useLiveState();
  const { paused, pause, newCount } = list;
  useShortcuts({ p: () => pause(!paused) });
  const isDisconnected = state === "reconnecting";
  const label = isDisconnected
    ? `Reconnecting, data as of ${clockTime(asOf)}`
    : paused
      ? `Paused${newCount > 0 ? `, ${number(newCount)} new` : ""}`
      : "Live";
  return (
    <span className="inline-flex items-center gap-1.5 text-text-2 numbers">
      <span
        aria-hidden
        className={classes(
          "size-2 shrink-0 rounded-full",
          isDisconnected ? "bg-mark-warn" : paused ? "bg-bar" : "bg-mark-ok shadow-[0_0_0_3px_var(--ok-tint)]",
        )}
      />
      <span>{label}</span>
      <IconButton
        icon={paused ? Play : Pause}
        label={paused ? "Resume live updates (P)" : "Pause live updates (P)"}
        onClick={() => pause(!paused)}
      />
      <Announcement count={newCount} />
    </span>
  );
}

/** A button above the list that inserts new rows. */
export function NewRowsButton({ list }: { list: LiveList<{ id: string }> }) {
  if (list.newCount === 0) return null;
  return (
    <div className="pointer-events-none sticky top-2 z-10 flex h-0 justify-center">
      <button
        type="button"
        onClick={list.showNew}
        className="pointer-events-auto mt-1 h-7 rounded-full bg-ink px-3 text-meta font-medium text-on-ink shadow-popup numbers touch:h-9"
      >
        {number(list.newCount)} new
      </button>
    </div>
  );
}

/** Announces new rows to screen readers, at most once every ten seconds. */
function Announcement({ count }: { count: number }) {
  const [message, setMessage] = useState("");
  const last = useRef(0);
  useEffect(() => {
    if (count === 0) return;
    const wait = Math.max(0, last.current + ANNOUNCE_INTERVAL_MS - performance.now());
    const timer = setTimeout(() => {
      last.current = performance.now();
      setMessage(plural(count, "new row"));
    }, wait);
    return () => clearTimeout(timer);
  }, [count]);
  return (
    <span role="status" className="sr-only">
      {message}
    </span>
  );
}
