/**
 * Upper bounds of the buckets of a duration histogram. Because the bounds are fixed, histograms from different hours
 * and nodes can be added up. From 3 ms up, each bound is 25% to 50% higher than the previous one. An estimated quantile
 * is in the same bucket as the exact one. Pure.
 */
const BOUNDS_MS = [
  1, 2, 3, 4, 5, 7, 10, 14, 20, 28, 40, 55, 75, 100, 140, 200, 280, 400, 550, 750, 1_000, 1_400, 2_000, 2_800, 4_000,
  5_500, 7_500, 10_000, 15_000,
];

export const bucketOf = (ms: number): number => {
  const index = BOUNDS_MS.findIndex((bound) => ms <= bound);
  return index === -1 ? BOUNDS_MS.length : index;
};

/**
 * @param counts one count per bucket; missing counts are 0
 * @param share 0.5 for the median
 * @returns milliseconds, interpolated within the bucket, or null if all counts are 0
 */
export function quantile(counts: readonly (number | undefined)[], share: number): number | null {
  const all = counts.reduce<number>((sum, count = 0) => sum + count, 0);
  if (all === 0) return null;
  let below = 0;
  for (let bucket = 0; bucket <= BOUNDS_MS.length; bucket++) {
    const count = counts[bucket] ?? 0;
    if (count > 0 && below + count >= share * all) return within(bucket, (share * all - below) / count);
    below += count;
  }
  return BOUNDS_MS.at(-1)!;
}

function within(bucket: number, part: number): number {
  const low = BOUNDS_MS[bucket - 1] ?? 0;
  const high = BOUNDS_MS[bucket] ?? low;
  return Math.round((low + (high - low) * part) * 10) / 10;
}
