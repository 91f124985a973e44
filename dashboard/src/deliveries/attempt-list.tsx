import { Link } from "@tanstack/react-router";
import { CircleCheck, CircleSlash2, CircleX, LoaderCircle, RotateCw } from "lucide-react";
import type { Attempt } from "../api/types.ts";
import { clockTime, duration } from "../format.ts";
import { classes } from "../ui/classes.ts";
import { When } from "../ui/time.tsx";
import { shortResult } from "./delivery-text.ts";
import { StackedBar } from "./waterfall.tsx";

const MARKS = { succeeded: CircleCheck, failed: CircleX, retry: CircleX, canceled: CircleSlash2 };
const TONES = { succeeded: "text-text-2", failed: "text-bad", retry: "text-bad", canceled: "text-text-2" };

interface AttemptsProps {
  delivery: string;
  log: Attempt[];
  selected: number | undefined;
  /** Whether an attempt is in progress. The log does not include that attempt yet. */
  sending: boolean;
}

/** Lists the attempts, newest first, with their timings drawn to a common scale. */
export function AttemptList({ delivery, log, selected, sending }: AttemptsProps) {
  const scale = Math.max(1, ...log.map(({ timings }) => timings.total ?? 0));
  return (
    <nav aria-label="Attempts" className="border-b border-line py-2">
      {sending && (
        <p className="gutter flex h-10 items-center gap-2 font-medium text-accent">
          <LoaderCircle size={14} className="animate-spin" aria-hidden />
          Sending
        </p>
      )}
      {log.toReversed().map((attempt) => (
        <AttemptRow
          key={attempt.number}
          delivery={delivery}
          attempt={attempt}
          scale={scale}
          selected={attempt.number === selected}
        />
      ))}
      {log.length === 0 && !sending && (
        <p className="gutter flex h-10 items-center gap-2 text-text-2">
          <RotateCw size={14} aria-hidden />
          No attempts yet
        </p>
      )}
    </nav>
  );
}

interface RowProps {
  delivery: string;
  attempt: Attempt;
  scale: number;
  selected: boolean;
}

function AttemptRow({ delivery, attempt, scale, selected }: RowProps) {
  const { number, outcome, status, error, timings, started } = attempt;
  const Mark = MARKS[outcome];
  return (
    <Link
      to="/deliveries/$id"
      params={{ id: delivery }}
      search={{ attempt: number }}
      replace
      resetScroll={false}
      data-row
      aria-current={selected ? "true" : undefined}
      className={classes(
        "gutter grid h-10 grid-cols-[20px_minmax(0,1fr)_auto] items-center gap-3 outline-offset-[-2px] mid:grid-cols-[20px_220px_minmax(0,1fr)_64px_72px] touch:h-11",
        selected ? "bg-selected shadow-[inset_2px_0_0_var(--accent)]" : "hover:bg-hover",
      )}
    >
      <span className="text-text-2 numbers">{number}</span>
      <span className={classes("flex min-w-0 items-center gap-1.5 font-medium", TONES[outcome])}>
        <Mark size={14} className={classes("shrink-0", outcome === "succeeded" && "text-mark-ok")} aria-hidden />
        <span className="truncate numbers">{shortResult(status, error?.word ?? null)}</span>
      </span>
      <span className="hidden mid:block">
        <StackedBar attempt={attempt} scale={scale} />
      </span>
      <span className="hidden text-right text-text-2 numbers mid:block">{duration(timings.total)}</span>
      <span className="text-right text-text-2">
        <When at={started}>{clockTime(started)}</When>
      </span>
    </Link>
  );
}
