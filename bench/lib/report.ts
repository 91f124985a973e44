import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../test/support/server.ts";

export interface Row {
  what: string;
  measured: string;
  /** The baseline's value, or a breakdown of the measured value. */
  baseline?: string;
  ratio?: string;
  /** Omitted for a row that is only informational. */
  target?: string;
  holds?: boolean;
}

/** A measurement and its baseline, taken one right after the other. */
export interface Pair {
  value: number;
  baseline: number;
}

interface Comparison {
  format: (value: number) => string;
  /** The text after the baseline's value. */
  label: string;
  /** The lower bound for the ratio. */
  atLeast?: number;
  atMost?: number;
}

/** Creates a row with the pairs' median value, baseline and ratio. */
export function compare(what: string, pairs: readonly Pair[], { format, label, atLeast, atMost }: Comparison): Row {
  const ratio = median(pairs.map(({ value, baseline }) => value / baseline));
  const target = atLeast !== undefined ? `≥ ${atLeast}` : atMost !== undefined ? `≤ ${atMost}` : "";
  return {
    what,
    measured: format(median(pairs.map(({ value }) => value))),
    baseline: `${format(median(pairs.map(({ baseline }) => baseline)))} ${label}`,
    ratio: short(ratio),
    target,
    holds: ratio >= (atLeast ?? 0) && ratio <= (atMost ?? Number.POSITIVE_INFINITY),
  };
}

const PAGE = join(ROOT, "docs/benchmarks.md");

/**
 * Prints a bench's table. With `--write`, also replaces the bench's table in docs/benchmarks.md.
 * @param name the bench's file name without the extension
 */
export function report(name: string, rows: readonly Row[]): void {
  const table = [
    "| what | measured | baseline | ratio | target | |",
    "|---|---|---|---|---|---|",
    ...rows.map(
      ({ what, measured, baseline = "", ratio = "", target = "", holds }) =>
        `| ${[what, measured, baseline, ratio, target, target === "" ? "" : holds ? "✓" : "✗"].join(" | ")} |`,
    ),
  ].join("\n");
  console.log(`\n${name} (${cpus().length} cores, Node ${process.versions.node})\n\n${table}\n`);
  if (process.argv.includes("--write")) write(name, table);
}

function write(name: string, table: string): void {
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
  const page = readFileSync(PAGE, "utf8");
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`docs/benchmarks.md has no table for ${name}: ${begin} … ${end}`);
  writeFileSync(PAGE, `${before}${begin}\n\n${table}\n\n${end}${after}`);
}

/** @param share the quantile, from 0 to 1 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Formats a number with two significant digits, or four if it is at least 100. */
export const short = (value: number): string => String(Number(value.toPrecision(value >= 100 ? 4 : 2)));

export const count = (value: number): string => value.toLocaleString("en");
export const perSecond = (value: number): string => `${count(Math.round(value))}/s`;
export const ms = (value: number): string => `${short(value)} ms`;
export const seconds = (value_ms: number): string => `${(value_ms / 1000).toFixed(value_ms < 10_000 ? 2 : 1)} s`;
export const megabytes = (bytes: number): string => `${Math.round(bytes / 1_000_000)} MB`;
