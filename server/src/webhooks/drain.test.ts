import fc from "fast-check";
import { expect, test } from "vitest";
import { drainSeconds } from "./drain.ts";

test("the drain estimate uses the rate limit unless the receiver is slower", () => {
  expect(drainSeconds(1_204, { rate_limit: 50, p50_ms: 20 })).toBe(25);
  expect(drainSeconds(1_204, { rate_limit: 50, p50_ms: 2_000 })).toBe(241);
  expect(drainSeconds(600, { rate_limit: 1, p50_ms: null })).toBe(600);
});

test("the drain estimate without a rate limit uses the median duration and is null if there are no attempts", () => {
  expect(drainSeconds(18_000, { rate_limit: null, p50_ms: 100 })).toBe(180);
  expect(drainSeconds(5, { rate_limit: null, p50_ms: null })).toBeNull();
  expect(drainSeconds(0, { rate_limit: null, p50_ms: null })).toBe(0);
});

test("adding deliveries or a rate limit never decreases the drain estimate", () => {
  const rates = fc.record({ rate_limit: fc.option(fc.integer({ min: 1, max: 10_000 })), p50_ms: fc.nat(15_000) });
  fc.assert(
    fc.property(rates, fc.nat(100_000), fc.nat(100_000), (given, some, more) => {
      const few = drainSeconds(some, given)!;
      expect(drainSeconds(some + more, given)).toBeGreaterThanOrEqual(few);
      expect(few).toBeGreaterThanOrEqual(drainSeconds(some, { ...given, rate_limit: null })!);
    }),
  );
});
