/**
 * A histogram of durations, so that hours and nodes can be added up. These are the upper bounds of its buckets, each a
 * quarter to a half above the one before. A quantile is exact to its bucket. Pure.
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
 * @param counts per bucket; a missing one is 0
 * @param share 0.5 for the median
 * @returns ms, interpolated within the bucket; null without any duration
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
