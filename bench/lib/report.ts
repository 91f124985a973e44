import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../test/support/server.ts";

export interface Line {
  what: string;
  measured: string;
  /** What it is held against: the bare thing, or a bound. */
  against?: string;
  ratio?: string;
  /** Empty: nothing is asked for, it is only shown. */
  target: string;
  holds: boolean;
}

const PAGE = join(ROOT, "docs/benchmarks.md");

/**
 * Prints a bench's table; with `--write` it also replaces the table of that name in docs/benchmarks.md.
 * @param name that of the bench's file
 */
export function report(name: string, lines: readonly Line[]): void {
  const table = [
    "| what | measured | against | ratio | asked for | |",
    "|---|---|---|---|---|---|",
    ...lines.map(
      ({ what, measured, against = "", ratio = "", target, holds }) =>
        `| ${[what, measured, against, ratio, target, mark(target, holds)].join(" | ")} |`,
    ),
  ].join("\n");
  console.log(`\n${name} (${cpus().length} cores, Node ${process.versions.node})\n\n${table}\n`);
  if (process.argv.includes("--write")) write(name, table);
}

const mark = (target: string, holds: boolean): string => (target === "" || target === "shown" ? "" : holds ? "✓" : "✗");

function write(name: string, table: string): void {
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
  const page = readFileSync(PAGE, "utf8");
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`docs/benchmarks.md has no place for ${name}: ${begin} … ${end}`);
  writeFileSync(PAGE, `${before}${begin}\n\n${table}\n\n${end}${after}`);
}

/** The value below which `share` of the sorted values lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** With two digits that count. */
export const short = (value: number): string => String(Number(value.toPrecision(value >= 100 ? 4 : 2)));

export const perSecond = (value: number): string => `${Math.round(value).toLocaleString("en")}/s`;
export const ms = (value: number): string => `${short(value)} ms`;
export const seconds = (value_ms: number): string => `${(value_ms / 1000).toFixed(value_ms < 10_000 ? 2 : 1)} s`;
export const megabytes = (bytes: number): string => `${Math.round(bytes / 1_000_000)} MB`;
