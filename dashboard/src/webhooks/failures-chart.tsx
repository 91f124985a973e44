import uPlot from "uplot";
import type { Health } from "../api/types.ts";
import { number } from "../format.ts";
import { Chart, dayScale, hourAxis, valueAxis } from "../ui/chart.tsx";
import { classes } from "../ui/classes.ts";
import { Section } from "../ui/page.tsx";
import { describeFailures, type Failure, failuresOf, layerOf, stack } from "./failures.ts";

/** The chart's layers, from the bottom up. All errors beyond the four most frequent share the last layer, in gray. */
const LAYERS = [
  { paint: "mark-bad", mark: "bg-mark-bad" },
  { paint: "mark-warn", mark: "bg-mark-warn" },
  { paint: "accent", mark: "bg-accent" },
  { paint: "phase-tls", mark: "bg-phase-tls" },
  { paint: "bar", mark: "bg-bar" },
];

/** Shows the errors per hour, if there are any. The list of errors is also the chart's legend. */
export function FailuresChart({ health }: { health: Health }) {
  const failures = failuresOf(health);
  if (failures.length === 0) return null;
  return (
    <Section title="Failures per hour" className="mid:col-span-2">
      <div className="grid grid-cols-1 gap-x-8 gap-y-4 mid:grid-cols-2">
        <Stack failures={failures} hours={health.hours} />
        <ul>
          {failures.map((failure, place) => (
            <FailureItem key={failure.word} failure={failure} mark={LAYERS[layerOf(place)]!.mark} />
          ))}
        </ul>
      </div>
    </Section>
  );
}

function FailureItem({ failure: { text, when, count }, mark }: { failure: Failure; mark: string }) {
  return (
    <li className="flex items-baseline gap-2 border-b border-line py-1.5 last:border-0">
      <span className={classes("size-2 shrink-0 rounded-[2px]", mark)} aria-hidden />
      <span className="min-w-0 flex-1 truncate" title={text}>
        {text}
      </span>
      <span className="shrink-0 text-meta text-text-3 numbers">{when}</span>
      <span className="w-12 shrink-0 text-right text-text-2 numbers">{number(count)}</span>
    </li>
  );
}

/** Stacks the layers by drawing the tallest bars first and the shorter bars over them. */
function Stack({ failures, hours }: { failures: Failure[]; hours: Health["hours"] }) {
  const bars = uPlot.paths.bars?.({ size: [0.6, 12], align: 0 });
  const x = hours.map(({ hour }) => hour);
  const edges = stack(failures);
  const most = Math.max(4, ...(edges.at(-1) ?? []));
  return (
    <Chart
      description={describeFailures(failures)}
      data={[x, ...edges.map(drawn).toReversed()]}
      options={(paint) => ({
        scales: { x: dayScale(x), y: { range: [0, most * 1.05] } },
        axes: [hourAxis(paint), valueAxis(paint, (value) => (Number.isInteger(value) ? number(value) : ""))],
        series: [
          {},
          ...edges
            .map((_, layer) => ({
              fill: paint(LAYERS[layer]!.paint),
              stroke: paint("surface"),
              width: 1,
              points: { show: false },
              ...(bars && { paths: bars }),
            }))
            .toReversed(),
        ],
      })}
    />
  );
}

/** Replaces each 0 with null, because a bar of height 0 would still draw its border over the axis. */
const drawn = (edge: number[]): (number | null)[] => edge.map((count) => (count === 0 ? null : count));
