import { LIMITS } from "../kernel/limits.ts";

/** What a webhook's open deliveries are sent with. */
export interface Pace {
  /** Per second; null: none. */
  rate_limit: number | null;
  /** Half of the lately measured attempts were quicker. Milliseconds; null: none was made. */
  p50_ms: number | null;
}

/**
 * How long it takes to send `open` deliveries, if each succeeds the first time: as many at once as a webhook may have, each
 * as long as half of them lately took, and no more per second than its limit. Pure.
 * @returns whole seconds, rounded up; null where nothing tells the pace
 */
export function drainSeconds(open: number, { rate_limit, p50_ms }: Pace): number | null {
  if (open === 0) return 0;
  const answered = p50_ms === null ? null : (LIMITS.WEBHOOK_IN_FLIGHT_MAX * 1_000) / Math.max(1, p50_ms);
  const paces = [rate_limit, answered].filter((pace) => pace !== null);
  return paces.length === 0 ? null : Math.ceil(open / Math.min(...paces));
}
