/**
 * The delay before each retry, in seconds. Including the first attempt, there are ten attempts in about three days: soon
 * after a brief failure, and often enough during a weekend.
 */
export const RETRY_SCHEDULE_S: readonly number[] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/** Each delay varies by ±20%, so that deliveries that failed together are not retried together. */
const JITTER = 0.2;

/**
 * @param step how many steps of the schedule have been used
 * @param fraction drawn uniformly from [0, 1)
 * @returns the delay in ms, or null if no retries are left
 */
export function retryDelay_ms(schedule_s: readonly number[], step: number, fraction: number): number | null {
  const seconds = schedule_s[step];
  return seconds === undefined ? null : Math.round(seconds * 1000 * (1 - JITTER + 2 * JITTER * fraction));
}
