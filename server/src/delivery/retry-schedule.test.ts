import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RETRY_SCHEDULE_S, retryDelay_ms } from "./retry-schedule.ts";

describe("the retry schedule", () => {
  test("makes ten attempts in about three days", () => {
    expect(RETRY_SCHEDULE_S).toHaveLength(9);
    const days = RETRY_SCHEDULE_S.reduce((sum, seconds) => sum + seconds) / 86_400;
    expect(days).toBeGreaterThan(2.5);
    expect(days).toBeLessThan(3.5);
  });

  test("varies each delay by at most 20%", () => {
    const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    const schedule = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1 });
    fc.assert(
      fc.property(schedule, fc.nat(), fraction, (schedule_s, pick, drawn) => {
        const step = pick % schedule_s.length;
        const delay_ms = retryDelay_ms(schedule_s, step, drawn)!;
        expect(delay_ms).toBeGreaterThanOrEqual(Math.floor(schedule_s[step]! * 800));
        expect(delay_ms).toBeLessThanOrEqual(Math.ceil(schedule_s[step]! * 1_200));
      }),
    );
    expect(retryDelay_ms([100], 0, 0)).toBe(80_000);
    expect(retryDelay_ms([100], 0, 0.999_999)).toBe(120_000);
  });

  test("ends after its last step", () => {
    expect(retryDelay_ms([1, 2], 2, 0.5)).toBeNull();
    expect(retryDelay_ms([], 0, 0.5)).toBeNull();
  });
});
