import { classes } from "./classes.ts";

const tones = { accent: "bg-accent", warn: "bg-mark-warn", quiet: "bg-text-3", bad: "bg-mark-bad" };
export type ProgressTone = keyof typeof tones;

interface ProgressProps {
  done: number;
  total: number;
  /** Without a label, the bar is hidden from screen readers, so nearby text must state the progress. */
  label?: string;
  tone?: ProgressTone;
  className?: string;
}

export function Progress({ done, total, label, tone = "accent", className }: ProgressProps) {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const semantics = label
    ? ({ role: "progressbar", "aria-label": label, "aria-valuenow": Math.floor(100 * share) } as const)
    : { "aria-hidden": true };
  return (
    <div {...semantics} className={classes("h-1 shrink-0 overflow-hidden rounded-full bg-neutral-tint", className)}>
      <div
        className={classes("h-full origin-left transition-transform duration-200", tones[tone])}
        style={{ transform: `scaleX(${share})` }}
      />
    </div>
  );
}
