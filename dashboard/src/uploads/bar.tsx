import { classes } from "../ui/classes.ts";

const tones = { accent: "bg-accent", warn: "bg-mark-warn", quiet: "bg-text-3", bad: "bg-mark-bad" };
export type BarTone = keyof typeof tones;

/** How far something is, 0 to 1. The words beside it say the same. */
export function Bar({ share, tone = "accent", className }: { share: number; tone?: BarTone; className?: string }) {
  return (
    <span aria-hidden className={classes("block h-1 shrink-0 overflow-hidden rounded-full bg-neutral-tint", className)}>
      <span
        className={classes("block h-full origin-left rounded-full transition-transform duration-200", tones[tone])}
        style={{ transform: `scaleX(${share})` }}
      />
    </span>
  );
}
