import fc from "fast-check";
import { expect, test } from "vitest";
import { bucketOf, quantile } from "./histogram.ts";

/**
 * Durations in milliseconds over the whole range, distributed logarithmically to cover both fast and slow receivers.
 */
const duration = fc.double({ min: 0, max: 4.17, noNaN: true }).map((exponent) => 10 ** exponent);
const counted = (durations: number[]): number[] => {
  const counts: number[] = [];
  for (const ms of durations) counts[bucketOf(ms)] = (counts[bucketOf(ms)] ?? 0) + 1;
  return counts;
};

test("an estimated quantile falls in the same bucket as the exact quantile", () => {
  fc.assert(
    fc.property(fc.array(duration, { minLength: 1 }), fc.constantFrom(0.5, 0.95), (durations, share) => {
      const measured = durations.toSorted((a, b) => a - b)[Math.ceil(share * durations.length - 1e-9) - 1]!;
      expect(Math.abs(bucketOf(quantile(counted(durations), share)!) - bucketOf(measured))).toBeLessThanOrEqual(
        onBound(quantile(counted(durations), share)!) ? 1 : 0,
      );
    }),
  );
});

/** A quantile near the low end of its bucket can round to the bound itself, which belongs to the bucket below. */
const onBound = (ms: number): boolean => bucketOf(ms) !== bucketOf(ms + 0.051);

test("a quantile is interpolated within its bucket", () => {
  const counts = counted([...Array(90).fill(8), ...Array(10).fill(300)]); // buckets 7–10 and 280–400 ms
  expect(quantile(counts, 0.5)).toBe(8.7); // the 50th of the 90 fast durations
  expect(quantile(counts, 0.95)).toBe(340); // the 5th of the 10 slow durations
});

test("a quantile is null if there are no durations, and it never exceeds the last bound", () => {
  expect(quantile([], 0.5)).toBeNull();
  expect(quantile(counted([60_000]), 0.5)).toBe(15_000);
});
