/** Charts of the last 24 hours, drawn by uPlot. Import this lazily, because uPlot is too large for the first load. */
import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useShownTheme } from "../shell/theme.ts";

const HEIGHT = 148;
const FONT = '11px "Geist"';

export interface ChartProps {
  /** A description of the chart for screen readers. */
  description: string;
  data: uPlot.AlignedData;
  /** Called again when the theme changes, because a canvas cannot use CSS variables. */
  options: (color: (name: string) => string) => Pick<uPlot.Options, "series"> & Partial<uPlot.Options>;
}

const color = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export function Chart({ description, data, options }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const theme = useShownTheme();
  const ready = useFont();
  // biome-ignore lint/correctness/useExhaustiveDependencies: options depend on data, and their colors on the theme
  useEffect(() => {
    const element = box.current;
    if (element === null || !ready) return;
    const size = () => ({ width: element.clientWidth, height: HEIGHT });
    const chart = new uPlot({ ...size(), ...base(), ...options(color) }, data, element);
    const observer = new ResizeObserver(() => chart.setSize(size()));
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
    };
  }, [data, theme, ready]);
  return <div ref={box} role="img" aria-label={description} className="h-[148px] min-w-0 overflow-hidden" />;
}

/** Returns whether the font has loaded. Text drawn on a canvas before then would stay in the fallback font. */
function useFont(): boolean {
  const [ready, setReady] = useState(document.fonts.check(FONT));
  useEffect(() => {
    if (!ready) void document.fonts.load(FONT).then(() => setReady(true));
  }, [ready]);
  return ready;
}

const base = () => ({
  legend: { show: false },
  cursor: { show: false },
  padding: [8, 16, 0, 0] as uPlot.Padding,
});

const HOUR = 3_600;

/** Adds a half-hour margin on each side, so that the first and last bars are as wide as the others. */
export const dayScale = (hours: number[]): uPlot.Scale => ({
  range: [(hours[0] ?? 0) - HOUR / 2, (hours.at(-1) ?? 0) + HOUR / 2],
});

const hour = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

export const hourAxis = (paint: (name: string) => string): uPlot.Axis => ({
  stroke: paint("text-3"),
  font: FONT,
  size: 26,
  grid: { show: false },
  ticks: { show: false },
  space: 80,
  values: (_, splits) => splits.map((at) => hour.format(at * 1_000)),
});

export const valueAxis = (paint: (name: string) => string, text: (value: number) => string): uPlot.Axis => ({
  stroke: paint("text-3"),
  font: FONT,
  size: 44,
  space: 44,
  grid: { stroke: paint("line"), width: 1 },
  ticks: { show: false },
  values: (_, splits) => splits.map(text),
});
