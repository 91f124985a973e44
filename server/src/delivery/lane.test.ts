import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../limits.ts";
import { type Job, Lane } from "./lane.ts";

const SUCCESS = { outcome: "succeeded", again: false, atEase: true } as const;
const REFUSAL = { outcome: "retry", again: false, atEase: true } as const;
const TIMEOUT = { outcome: "retry", again: false, atEase: false } as const;
const RACE = { outcome: "retry", again: true, atEase: true } as const;

describe("a lane", () => {
  test("starts slowly, grows with successes, halves with timeouts, and stays within its bounds", () => {
    const lane = new Lane("w");
    expect(lane.cap).toBe(LIMITS.WEBHOOK_IN_FLIGHT_START);
    lane.answered(SUCCESS);
    expect(lane.cap).toBe(LIMITS.WEBHOOK_IN_FLIGHT_START + 1);
    fc.assert(
      fc.property(fc.array(fc.constantFrom(SUCCESS, REFUSAL, TIMEOUT, RACE)), (answers) => {
        for (const verdict of answers) lane.answered(verdict);
        expect(lane.cap).toBeGreaterThanOrEqual(1);
        expect(lane.cap).toBeLessThanOrEqual(LIMITS.WEBHOOK_IN_FLIGHT_MAX);
      }),
    );
    for (let n = 0; n < 20; n++) lane.answered(TIMEOUT);
    expect(lane.cap).toBe(1);
  });

  test("starts anew where nothing but errors come back, and bears some among successes", () => {
    const lane = new Lane("w");
    const times = (count: number, verdict: typeof SUCCESS | typeof REFUSAL | typeof RACE) => {
      for (let n = 0; n < count; n++) lane.answered(verdict);
    };
    times(20, SUCCESS);
    for (let n = 0; n < 10; n++) {
      times(LIMITS.WEBHOOK_REFUSED_MAX - 1, REFUSAL);
      times(1, SUCCESS);
    }
    expect(lane.cap).toBe(LIMITS.WEBHOOK_IN_FLIGHT_MAX);
    times(LIMITS.WEBHOOK_REFUSED_MAX - 1, REFUSAL);
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
    const job = (by_hand: boolean) => ({ by_hand }) as Job;
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
    lane.queue.push(...Array<Job>(100));
    expect(lane.room).toBe(0);
    expect(lane.closed).toBe(true);
    expect(lane.wants(0)).toBe(false);
  });

  test("keeps a rate within a tenth over any stretch, whatever the arrivals", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.array(fc.nat(50), { minLength: 200 }), (rate, gaps) => {
        const lane = new Lane("w");
        let [now_ms, taken] = [1_000_000, 0];
        for (const gap of gaps) {
          now_ms += gap;
          if (lane.takeToken(rate, now_ms) === 0) taken += 1;
        }
        const seconds = (now_ms - 1_000_000) / 1_000;
        expect(taken).toBeLessThanOrEqual(rate * seconds + Math.max(1, rate * 0.1) + 1);
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
