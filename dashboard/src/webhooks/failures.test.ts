import { expect, test } from "vitest";
import type { Health } from "../api/types.ts";
import { describeFailures, failuresOf, stack } from "./failures.ts";

const HOUR = 3_600;
const FIRST = new Date(2026, 10, 23, 9).getTime() / 1_000;

/** Returns a webhook's health for a day. Each argument holds the error counts of one hour, oldest first. */
function day(...errorsByHour: Record<string, number>[]): Pick<Health, "errors" | "hours"> {
  const listed = (errors: Record<string, number>) =>
    Object.entries(errors)
      .map(([word, count]) => ({ word, count }))
      .sort((a, b) => b.count - a.count);
  const sums: Record<string, number> = {};
  for (const errors of errorsByHour)
    for (const [word, count] of Object.entries(errors)) sums[word] = (sums[word] ?? 0) + count;
  const hours = Array.from({ length: 24 }, (_, at) => ({
    ...{ hour: FIRST + at * HOUR, succeeded: 0, failed: 0, p50: null, p95: null },
    errors: listed(errorsByHour[at] ?? {}),
  }));
  return { errors: listed(sums), hours };
}

test("errors are listed with their hours, most frequent first", () => {
  const failures = failuresOf(day({}, { "503": 5, timeout: 1 }, {}, { "503": 4 }));
  expect(failures.map(({ text, count, when }) => [text, count, when])).toEqual([
    ["503 Service Unavailable", 9, "10:00–13:00"],
    ["No response in time", 1, "10:00–11:00"],
  ]);
  expect(failures[0]!.hours.slice(0, 5)).toEqual([0, 5, 0, 4, 0]);
  expect(describeFailures(failures).replaceAll("\u00a0", " ")).toBe(
    "10 failed attempts in 24 hours. 503 Service Unavailable: 9, 10:00–13:00. No response in time: 1, 10:00–11:00.",
  );
});

test("an error in the current hour is listed as ongoing", () => {
  const hours = Array.from({ length: 24 }, (_, at) => (at < 20 ? {} : { timeout: 1 }));
  expect(failuresOf(day(...hours))[0]!.when).toBe("since 05:00");
});

test("layers are stacked, and all errors beyond the four most frequent share the top layer", () => {
  const failures = failuresOf(day({ a: 60, b: 50, c: 40, d: 30, e: 20, f: 10 }, { e: 1 }));
  const edges = stack(failures);
  expect(edges.map((hours) => hours[0])).toEqual([60, 110, 150, 180, 210]);
  expect(edges.map((hours) => hours[1])).toEqual([0, 0, 0, 0, 1]);
  expect(stack([])).toEqual([]);
});
