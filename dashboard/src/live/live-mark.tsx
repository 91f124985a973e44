import { Pause, Play } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { clockTime, number } from "../format.ts";
import { useKeys } from "../shell/keys.ts";
import { IconButton } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { useLiveState } from "./changes.ts";
import type { LiveList } from "./live-list.ts";

const SAY_EVERY_MS = 10_000;

/** Always says how current the rows are: "Live", "Paused, 12 new", "Reconnecting, as of 14:03:08". */
export function LiveMark({ list }: { list: LiveList<{ id: string }> }) {
  const { state, asOf } = useLiveState();
  const { paused, pause, held } = list;
  useKeys({ p: () => pause(!paused) });
  const cut = state === "reconnecting";
  const words = cut
    ? `Reconnecting, as of ${clockTime(asOf)}`
    : paused
      ? `Paused${held > 0 ? `, ${number(held)} new` : ""}`
      : "Live";
  return (
    <span className="inline-flex items-center gap-1.5 text-text-2 numbers">
      <span
        aria-hidden
        className={classes(
          "size-2 shrink-0 rounded-full",
          cut ? "bg-mark-warn" : paused ? "bg-bar" : "bg-mark-ok shadow-[0_0_0_3px_var(--ok-tint)]",
        )}
      />
      <span>{words}</span>
      <IconButton
        icon={paused ? Play : Pause}
        label={paused ? "Show new rows as they come (P)" : "Pause new rows (P)"}
        onClick={() => pause(!paused)}
      />
      <Announce count={held} />
    </span>
  );
}

/** A pill above the rows: how many wait to enter. */
export function HeldPill({ list }: { list: LiveList<{ id: string }> }) {
  if (list.held === 0) return null;
  return (
    <div className="pointer-events-none sticky top-2 z-10 flex h-0 justify-center">
      <button
        type="button"
        onClick={list.show}
        className="pointer-events-auto mt-1 h-7 rounded-full bg-ink px-3 text-meta font-medium text-on-ink shadow-popup numbers touch:h-9"
      >
        {number(list.held)} new
      </button>
    </div>
  );
}

/** For ears: at most every ten seconds. */
function Announce({ count }: { count: number }) {
  const [said, setSaid] = useState("");
  const last = useRef(0);
  useEffect(() => {
    if (count === 0) return;
    const wait = Math.max(0, last.current + SAY_EVERY_MS - performance.now());
    const timer = setTimeout(() => {
      last.current = performance.now();
      setSaid(count === 1 ? "1 new row waits." : `${number(count)} new rows wait.`);
    }, wait);
    return () => clearTimeout(timer);
  }, [count]);
  return (
    <span role="status" className="sr-only">
      {said}
    </span>
  );
}
