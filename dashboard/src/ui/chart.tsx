/** Charts of a day: bars of deliveries, lines of response times. uPlot is fetched with the page that draws one. */
import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useShownTheme } from "../shell/theme.ts";

const HEIGHT = 148;
const FONT = '11px "Geist"';

export interface ChartProps {
  /** What it shows, in a sentence: a picture says nothing to ears. */
  words: string;
  data: uPlot.AlignedData;
  /** Made anew for each theme: a canvas knows no CSS variables. */
  options: (color: (name: string) => string) => Pick<uPlot.Options, "series"> & Partial<uPlot.Options>;
}

const color = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export function Chart({ words, data, options }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const theme = useShownTheme();
  const ready = useFont();
  // biome-ignore lint/correctness/useExhaustiveDependencies: options follow data; the theme changes their colours
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
  return <div ref={box} role="img" aria-label={words} className="h-[148px] min-w-0 overflow-hidden" />;
}

/** A canvas drawn before the font is there keeps a serif for ever. */
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

/** All of a day's hours, the first and the last as wide as the others. */
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
