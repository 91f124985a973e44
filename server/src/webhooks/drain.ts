import { LIMITS } from "../kernel/limits.ts";

/** What limits how fast a webhook's backlog can be sent. */
export interface DrainLimits {
  /** Deliveries per second. Null if there is no limit. */
  rate_limit: number | null;
  /** Median duration of recent attempts in milliseconds. Null if there are no attempts yet. */
  p50_ms: number | null;
  /** How long the receiver asked to be sent nothing, in milliseconds. */
  rest_ms?: number;
}

/**
 * Estimates how long it will take to send `pending` deliveries. Assumes that every attempt takes the median duration,
 * that as many attempts are in flight as the limits allow, and that every delivery succeeds on its first attempt. Pure.
 * @returns whole seconds, rounded up, or null if there is no rate limit and there are no attempts yet
 */
export function drainSeconds(pending: number, { rate_limit, p50_ms, rest_ms = 0 }: DrainLimits): number | null {
  if (pending === 0) return 0;
  const throughput = p50_ms === null ? null : (LIMITS.WEBHOOK_IN_FLIGHT_MAX * 1_000) / Math.max(1, p50_ms);
  const perSecond = [rate_limit, throughput].filter((rate) => rate !== null);
  return perSecond.length === 0 ? null : Math.ceil(pending / Math.min(...perSecond) + Math.max(0, rest_ms) / 1_000);
}
