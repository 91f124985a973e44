import type { HealthHour } from "../api/types.ts";
import { number, plural } from "../format.ts";

const BAR = 4;
const GAP = 2;
const HEIGHT = 24;
const EMPTY = 2;

/** Shows attempts per hour as bars, with failures in red at the bottom. An hour without attempts is shown as a dash. */
export function Sparkline({ hours }: { hours: HealthHour[] }) {
  const most = Math.max(1, ...hours.map(({ succeeded, failed }) => succeeded + failed));
  const height = (count: number) => (count === 0 ? 0 : Math.max(EMPTY, Math.round((HEIGHT * count) / most)));
  const all = hours.reduce((sum, hour) => sum + hour.succeeded + hour.failed, 0);
  const failed = hours.reduce((sum, hour) => sum + hour.failed, 0);
  const description = `${plural(all, "attempt")} in 24 hours, ${number(failed)} failed`;
  return (
    <svg width={hours.length * (BAR + GAP) - GAP} height={HEIGHT} role="img" aria-label={description} className="block">
      <title>{description}</title>
      {hours.map(({ hour, succeeded, failed }, at) => {
        const x = at * (BAR + GAP);
        const whole = height(succeeded + failed);
        const bad = Math.min(whole, height(failed));
        return whole === 0 ? (
          <rect key={hour} x={x} y={HEIGHT - EMPTY} width={BAR} height={EMPTY} className="fill-line" />
        ) : (
          <g key={hour}>
            <rect x={x} y={HEIGHT - whole} width={BAR} height={whole - bad} rx={1} className="fill-bar" />
            {bad > 0 && <rect x={x} y={HEIGHT - bad} width={BAR} height={bad} rx={1} className="fill-mark-bad" />}
          </g>
        );
      })}
    </svg>
  );
}
