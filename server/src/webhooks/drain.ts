import { LIMITS } from "../kernel/limits.ts";

/** What limits how fast a webhook's backlog is sent. */
export interface DrainLimits {
  /** Per second; null: no limit. */
  rate_limit: number | null;
  /** Median duration of recent attempts in milliseconds; null: no attempt yet. */
  p50_ms: number | null;
}

/**
 * Estimates how long sending `pending` deliveries takes if each succeeds at its first attempt, with the maximum of attempts
 * in flight, the median duration and the rate limit. Pure.
 * @returns whole seconds, rounded up; null without a rate limit and without any attempt
 */
export function drainSeconds(pending: number, { rate_limit, p50_ms }: DrainLimits): number | null {
  if (pending === 0) return 0;
  const throughput = p50_ms === null ? null : (LIMITS.WEBHOOK_IN_FLIGHT_MAX * 1_000) / Math.max(1, p50_ms);
  const perSecond = [rate_limit, throughput].filter((rate) => rate !== null);
  return perSecond.length === 0 ? null : Math.ceil(pending / Math.min(...perSecond));
}
