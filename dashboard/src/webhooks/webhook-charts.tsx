import uPlot from "uplot";
import type { Health } from "../api/types.ts";
import { number, percent, plural, took } from "../format.ts";
import { Chart, dayScale, hourAxis, valueAxis } from "../ui/chart.tsx";
import { Section } from "../ui/page.tsx";
import { Failures } from "./failures-chart.tsx";

export default function WebhookCharts({ health }: { health: Health }) {
  return (
    // One column is said, too: an unsaid one never becomes narrower than a chart that was drawn while it was wide.
    <div className="grid grid-cols-1 gap-x-8 gap-y-6 mid:grid-cols-2">
      <Section
        title="Attempts per hour"
        end={
          <Legend
            items={[
              ["bg-bar", "Succeeded"],
              ["bg-mark-bad", "Failed"],
            ]}
          />
        }
      >
        <Attempts health={health} />
      </Section>
      <Section
        title="Response time"
        end={
          <Legend
            line
            items={[
              ["bg-accent", "p95"],
              ["bg-text-3", "p50"],
            ]}
          />
        }
      >
        <Times health={health} />
      </Section>
      <Failures health={health} />
    </div>
  );
}

function Legend({ items, line }: { items: [color: string, word: string][]; line?: boolean }) {
  return (
    <span className="flex gap-3 text-meta text-text-2">
      {items.map(([color, word]) => (
        <span key={word} className="flex items-center gap-1.5">
          <span className={`${color} ${line ? "h-0.5 w-3" : "size-2 rounded-[2px]"}`} aria-hidden />
          {word}
        </span>
      ))}
    </span>
  );
}

/** Failed attempts stand at the foot in red, the others on top of them. */
function Attempts({ health: { hours, succeeded, failed } }: { health: Health }) {
  const bars = uPlot.paths.bars?.({ size: [0.6, 12], align: 0 });
  const x = hours.map(({ hour }) => hour);
  const all = hours.map((hour) => hour.succeeded + hour.failed);
  const bad = hours.map((hour) => hour.failed);
  const words = `${plural(succeeded + failed, "attempt")} in 24 hours, ${number(failed)} failed: ${percent(succeeded, succeeded + failed)} succeeded.`;
  const most = Math.max(4, ...all);
  return (
    <Chart
      words={words}
      data={[x, all, bad]}
      options={(paint) => ({
        scales: { x: dayScale(x), y: { range: [0, most * 1.05] } },
        axes: [hourAxis(paint), valueAxis(paint, (value) => (Number.isInteger(value) ? number(value) : ""))],
        series: [
          {},
          { fill: paint("bar"), width: 0, points: { show: false }, ...(bars && { paths: bars }) },
          { fill: paint("mark-bad"), width: 0, points: { show: false }, ...(bars && { paths: bars }) },
        ],
      })}
    />
  );
}

function Times({ health: { hours, response_ms } }: { health: Health }) {
  const x = hours.map(({ hour }) => hour);
  const p95 = hours.map((hour) => hour.p95);
  // A line needs two points; fewer are shown as such.
  const known = p95.filter((ms) => ms !== null).length;
  const most = Math.max(100, ...p95.map((ms) => ms ?? 0));
  const words = `Half of the attempts took under ${took(response_ms.p50)}, 19 of 20 under ${took(response_ms.p95)}.`;
  return (
    <Chart
      words={words}
      data={[x, p95, hours.map((hour) => hour.p50)]}
      options={(paint) => ({
        scales: { x: dayScale(x), y: { range: [0, most * 1.1] } },
        axes: [hourAxis(paint), valueAxis(paint, (value) => (value >= 1_000 ? `${value / 1_000} s` : `${value} ms`))],
        series: [
          {},
          { stroke: paint("accent"), width: 1.5, spanGaps: true, points: { show: known <= 2, size: 4 } },
          { stroke: paint("text-3"), width: 1.5, dash: [4, 3], spanGaps: true, points: { show: false } },
        ],
      })}
    />
  );
}
