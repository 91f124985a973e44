import uPlot from "uplot";
import type { Health } from "../api/types.ts";
import { duration, number, percent, plural } from "../format.ts";
import { Chart, dayScale, hourAxis, valueAxis } from "../ui/chart.tsx";
import { Section } from "../ui/page.tsx";
import { FailuresChart } from "./failures-chart.tsx";

export default function WebhookCharts({ health }: { health: Health }) {
  return (
    // An implicit grid column would not shrink below the width of a chart that was drawn in a wider window.
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
        <AttemptsChart health={health} />
      </Section>
      <Section
        title="Latency"
        end={
          <Legend
            line
            items={[
              ["bg-accent", "p95"],
              ["bg-text-3", "Median"],
            ]}
          />
        }
      >
        <LatencyChart health={health} />
      </Section>
      <FailuresChart health={health} />
    </div>
  );
}

function Legend({ items, line }: { items: [color: string, name: string][]; line?: boolean }) {
  return (
    <span className="flex gap-3 text-meta text-text-2">
      {items.map(([color, name]) => (
        <span key={name} className="flex items-center gap-1.5">
          <span className={`${color} ${line ? "h-0.5 w-3" : "size-2 rounded-[2px]"}`} aria-hidden />
          {name}
        </span>
      ))}
    </span>
  );
}

function AttemptsChart({ health: { hours, succeeded, failed } }: { health: Health }) {
  const bars = uPlot.paths.bars?.({ size: [0.6, 12], align: 0 });
  const x = hours.map(({ hour }) => hour);
  const all = hours.map((hour) => hour.succeeded + hour.failed);
  const bad = hours.map((hour) => hour.failed);
  const description = `${plural(succeeded + failed, "attempt")} in 24 hours, ${number(failed)} failed: ${percent(succeeded, succeeded + failed)} succeeded.`;
  const most = Math.max(4, ...all);
  return (
    <Chart
      description={description}
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

function LatencyChart({ health: { hours, response_ms } }: { health: Health }) {
  const x = hours.map(({ hour }) => hour);
  const p95 = hours.map((hour) => hour.p95);
  // One or two values do not form a visible line, so draw them as points.
  const known = p95.filter((ms) => ms !== null).length;
  const most = Math.max(100, ...p95.map((ms) => ms ?? 0));
  const description = `Median ${duration(response_ms.p50)}, p95 ${duration(response_ms.p95)}.`;
  return (
    <Chart
      description={description}
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
