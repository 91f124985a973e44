import type { Attempt } from "../api/types.ts";
import { duration, exact } from "../format.ts";
import { classes } from "../ui/classes.ts";
import { phasesOf, summary } from "./phases.ts";

const share = (part: number, whole: number): string => `${whole === 0 ? 0 : (100 * part) / whole}%`;

/** Shows one row per phase, with the receiver's own time in the accent color. */
export function Waterfall({ attempt }: { attempt: Attempt }) {
  const { timings, number, started_ms, url, address } = attempt;
  const phases = phasesOf(timings);
  const total = timings.total ?? 0;
  return (
    <section className="gutter border-b border-line py-6">
      <div className="mb-3 flex flex-wrap items-baseline justify-between gap-2">
        <h2 className="font-semibold">Attempt {number}</h2>
        <span className="text-text-2 numbers">{exact(started_ms)}</span>
      </div>
      <dl>
        {phases.map(({ label, ms, from, color }) => (
          <div key={label} className="grid h-[27px] grid-cols-[72px_minmax(0,1fr)_64px] items-center gap-3">
            <dt className="text-text-2">{label}</dt>
            <dd className="relative row-start-1 col-start-2 h-2.5 rounded-[3px] bg-sunken">
              {ms > 0 && (
                <span
                  className={classes("absolute inset-y-0 min-w-[3px] rounded-[3px]", color)}
                  style={{ left: `min(${share(from, total)}, calc(100% - 3px))`, width: share(ms, total) }}
                />
              )}
            </dd>
            <dd className="text-right numbers">{ms > 0 ? duration(ms) : "–"}</dd>
          </div>
        ))}
        <div className="mt-2 grid grid-cols-[72px_minmax(0,1fr)_64px] gap-3 border-t border-line pt-2">
          <dt className="font-semibold">Total</dt>
          <dd className="text-text-2 numbers">{summary(timings)}</dd>
          <dd className="text-right font-semibold numbers">{duration(timings.total)}</dd>
        </div>
      </dl>
      <p className="mt-3 truncate font-mono text-code text-text-3" title={url}>
        POST {url}
        {address && `, ${address}`}
      </p>
    </section>
  );
}

/** Shows all phases in one bar. All attempts of a delivery are drawn to the same scale. */
export function StackedBar({ attempt, scale }: { attempt: Attempt; scale: number }) {
  return (
    <span aria-hidden className="flex h-2 overflow-hidden rounded-[2px]">
      {phasesOf(attempt.timings).map(({ label, ms, color }) => (
        <span key={label} className={color} style={{ width: share(ms, scale), minWidth: ms > 0 ? 1 : 0 }} />
      ))}
    </span>
  );
}
