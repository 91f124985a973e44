import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TokenBucket } from "./token-bucket.ts";

describe("a rate limit", () => {
  test("is never exceeded by more than 10% in any second, no matter when deliveries arrive", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.array(fc.nat(50), { minLength: 200 }), (rate, gaps) => {
        const bucket = new TokenBucket();
        const sent: number[] = [];
        let now_ms = 1_000_000;
        for (const gap of gaps) {
          now_ms += gap;
          if (bucket.take(rate, now_ms) === 0) sent.push(now_ms);
        }
        expect(mostInASecond(sent)).toBeLessThanOrEqual(Math.max(rate + 1, rate * 1.1) + 1);
      }),
    );
  });

  test("is met to within 10% while there are deliveries to send", () => {
    const busy = fc.record({ rate: fc.integer({ min: 20, max: 500 }), late: fc.array(fc.nat(40), { minLength: 1 }) });
    const idle = fc.record({ rate: fc.integer({ min: 1, max: 500 }), late: fc.constant([0]) });
    fc.assert(
      fc.property(fc.oneof(busy, idle), ({ rate, late }) => {
        const sent = sendFor(10_000, rate, late);
        expect(sent.length).toBeGreaterThanOrEqual(rate * 10 * 0.9);
        expect(sent.length).toBeLessThanOrEqual(rate * 10 * 1.1 + 1);
        expect(mostInASecond(sent)).toBeLessThanOrEqual(Math.max(rate + 1, rate * 1.1) + 1);
      }),
    );
  });

  test("returns the time until the next token", () => {
    const bucket = new TokenBucket();
    expect([bucket.take(2, 10_000), bucket.take(2, 10_000), bucket.take(2, 10_500)]).toEqual([0, 500, 0]);
  });
});

/** Sends like the dispatcher. Each wait ends one millisecond late, plus a delay caused by the machine. */
function sendFor(duration_ms: number, rate: number, late: readonly number[]): number[] {
  const bucket = new TokenBucket();
  const sent: number[] = [];
  const [begin_ms, far_too_many] = [1_000_000, rate * duration_ms];
  for (let [now_ms, waits] = [begin_ms, 0]; now_ms < begin_ms + duration_ms && sent.length < far_too_many; ) {
    const wait_ms = bucket.take(rate, now_ms);
    if (wait_ms === 0) sent.push(now_ms);
    else now_ms += wait_ms + 1 + late[waits++ % late.length]!;
  }
  return sent;
}

/** @param sent the send times in milliseconds, in order */
function mostInASecond(sent: number[]): number {
  let [most, first] = [0, 0];
  for (const [last, at_ms] of sent.entries()) {
    while (sent[first]! <= at_ms - 1_000) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}
