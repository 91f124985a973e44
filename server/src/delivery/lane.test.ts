import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../kernel/limits.ts";
import type { LeasedDelivery } from "../store/queue/claim.ts";
import { Lane } from "./lane.ts";

const SUCCESS = { result: "succeeded", again: false, atEase: true } as const;
const REFUSAL = { result: "retry", again: false, atEase: true } as const;
const TIMEOUT = { result: "retry", again: false, atEase: false } as const;
const RACE = { result: "retry", again: true, atEase: true } as const;

describe("a lane", () => {
  test("starts slowly, grows with successes, halves with timeouts, and stays within its bounds", () => {
    const lane = new Lane("w");
    expect(lane.cap).toBe(LIMITS.WEBHOOK_IN_FLIGHT_START);
    lane.answered(SUCCESS);
    expect(lane.cap).toBe(LIMITS.WEBHOOK_IN_FLIGHT_START + 1);
    fc.assert(
      fc.property(fc.array(fc.constantFrom(SUCCESS, REFUSAL, TIMEOUT, RACE)), (answers) => {
        for (const outcome of answers) lane.answered(outcome);
        expect(lane.cap).toBeGreaterThanOrEqual(1);
        expect(lane.cap).toBeLessThanOrEqual(LIMITS.WEBHOOK_IN_FLIGHT_MAX);
      }),
    );
    for (let n = 0; n < 20; n++) lane.answered(TIMEOUT);
    expect(lane.cap).toBe(1);
  });

  test("starts anew where nothing but errors come back, and bears some among successes", () => {
    const lane = new Lane("w");
    const times = (count: number, outcome: typeof SUCCESS | typeof REFUSAL | typeof RACE) => {
      for (let n = 0; n < count; n++) lane.answered(outcome);
    };
    times(20, SUCCESS);
    for (let n = 0; n < 10; n++) {
      times(LIMITS.WEBHOOK_FAILURES_MAX - 1, REFUSAL);
      times(1, SUCCESS);
    }
    expect(lane.cap).toBe(LIMITS.WEBHOOK_IN_FLIGHT_MAX);
    times(LIMITS.WEBHOOK_FAILURES_MAX - 1, REFUSAL);
    times(5, RACE); // nobody has seen these
    expect(lane.cap).toBe(LIMITS.WEBHOOK_IN_FLIGHT_MAX);
    times(1, REFUSAL);
    expect(lane.cap).toBe(LIMITS.WEBHOOK_IN_FLIGHT_START);
    times(1, SUCCESS);
    expect(lane.cap).toBe(LIMITS.WEBHOOK_IN_FLIGHT_START + 1);
  });

  test("is closed to what is new once rows of before have waited for a while, until a claim finds no more", () => {
    const lane = new Lane("w");
    lane.hinted = true;
    lane.look();
    expect(lane.closed).toBe(false); // it may have come a moment ago
    lane.look();
    expect(lane.closed).toBe(true);
    lane.caughtUp();
    expect([lane.closed, lane.hinted]).toEqual([false, false]);
    lane.hinted = true;
    lane.look();
    expect(lane.closed).toBe(false);
  });

  test("a receiver's rest does not hold what a person sends, a rate limit does", () => {
    const lane = new Lane("w");
    const job = (by_hand: boolean) => ({ by_hand }) as LeasedDelivery;
    lane.add(job(false));
    lane.restUntil_ms = 1_000;
    expect([lane.awake(500), lane.awake(1_000)]).toEqual([false, true]);
    lane.add(job(true));
    expect(lane.queue.map(({ by_hand }) => by_hand)).toEqual([true, false]);
    expect(lane.awake(500)).toBe(true);
    lane.paceUntil_ms = 2_000;
    expect(lane.awake(1_500)).toBe(false);
  });

  test("asks for no more than it can send soon", () => {
    const lane = new Lane("w");
    lane.queue.push(...Array<LeasedDelivery>(100));
    expect(lane.room).toBe(0);
    expect(lane.closed).toBe(true);
    expect(lane.wants(0)).toBe(false);
  });

  test("keeps a rate within a tenth in any second, whatever the arrivals", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.array(fc.nat(50), { minLength: 200 }), (rate, gaps) => {
        const lane = new Lane("w");
        const sent: number[] = [];
        let now_ms = 1_000_000;
        for (const gap of gaps) {
          now_ms += gap;
          if (lane.takeToken(rate, now_ms) === 0) sent.push(now_ms);
        }
        expect(mostInASecond(sent)).toBeLessThanOrEqual(Math.max(rate + 1, rate * 1.1) + 1);
      }),
    );
  });

  test("keeps a rate within a tenth in any second, both ways, as long as there is something to send", () => {
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

  test("says how long the next token takes", () => {
    const lane = new Lane("w");
    expect(lane.takeToken(2, 10_000)).toBe(0);
    expect(lane.takeToken(2, 10_000)).toBe(500);
    expect(lane.takeToken(2, 10_500)).toBe(0);
    expect(lane.takeToken(null, 0)).toBe(0);
  });
});

/** Sends all that it may, as the dispatcher does: it waits as long as it is told, a millisecond, and as the machine is late. */
function sendFor(duration_ms: number, rate: number, late: readonly number[]): number[] {
  const lane = new Lane("w");
  const sent: number[] = [];
  const [begin_ms, far_too_many] = [1_000_000, rate * duration_ms];
  for (let [now_ms, waits] = [begin_ms, 0]; now_ms < begin_ms + duration_ms && sent.length < far_too_many; ) {
    const wait_ms = lane.takeToken(rate, now_ms);
    if (wait_ms === 0) sent.push(now_ms);
    else now_ms += wait_ms + 1 + late[waits++ % late.length]!;
  }
  return sent;
}

/** @param sent when each was, in order, in milliseconds */
function mostInASecond(sent: number[]): number {
  let [most, first] = [0, 0];
  for (const [last, at_ms] of sent.entries()) {
    while (sent[first]! <= at_ms - 1_000) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}
