import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../kernel/limits.ts";
import type { LeasedDelivery } from "../store/queue/claim.ts";
import { Lane } from "./lane.ts";

const SUCCESS = { result: "succeeded", immediate: false, isOverloaded: false } as const;
const REFUSAL = { result: "retry", immediate: false, isOverloaded: false } as const;
const TIMEOUT = { result: "retry", immediate: false, isOverloaded: true } as const;
const RACE = { result: "retry", immediate: true, isOverloaded: false } as const;

let now_ms = 1;
const newLane = () => new Lane("w", { monotonic: () => now_ms });
const delivery = (manual = false) => ({ manual }) as LeasedDelivery;

describe("a lane", () => {
  test("raises its cap after each success, halves it after each timeout, and keeps it within bounds", () => {
    const lane = newLane();
    expect(lane.cap).toBe(LIMITS.WEBHOOK_IN_FLIGHT_START);
    lane.end(SUCCESS);
    expect(lane.cap).toBe(LIMITS.WEBHOOK_IN_FLIGHT_START + 1);
    fc.assert(
      fc.property(fc.array(fc.constantFrom(SUCCESS, REFUSAL, TIMEOUT, RACE)), (outcomes) => {
        for (const outcome of outcomes) lane.end(outcome);
        expect(lane.cap).toBeGreaterThanOrEqual(1);
        expect(lane.cap).toBeLessThanOrEqual(LIMITS.WEBHOOK_IN_FLIGHT_MAX);
      }),
    );
    for (let n = 0; n < 20; n++) lane.end(TIMEOUT);
    expect(lane.cap).toBe(1);
  });

  test("returns to slow start after consecutive failures, but not after scattered ones", () => {
    const lane = newLane();
    const times = (count: number, outcome: typeof SUCCESS | typeof REFUSAL | typeof RACE) => {
      for (let n = 0; n < count; n++) lane.end(outcome);
    };
    times(20, SUCCESS);
    for (let n = 0; n < 10; n++) {
      times(LIMITS.WEBHOOK_FAILURES_MAX - 1, REFUSAL);
      times(1, SUCCESS);
    }
    expect(lane.cap).toBe(LIMITS.WEBHOOK_IN_FLIGHT_MAX);
    times(LIMITS.WEBHOOK_FAILURES_MAX - 1, REFUSAL);
    times(5, RACE); // no receiver saw these requests
    expect(lane.cap).toBe(LIMITS.WEBHOOK_IN_FLIGHT_MAX);
    times(1, REFUSAL);
    expect(lane.cap).toBe(LIMITS.WEBHOOK_IN_FLIGHT_START);
    times(1, SUCCESS);
    expect(lane.cap).toBe(LIMITS.WEBHOOK_IN_FLIGHT_START + 1);
  });

  test("is ready while it has a delivery and a free slot, and idle otherwise", () => {
    const lane = newLane();
    const states = [lane.state];
    for (let n = 0; n <= LIMITS.WEBHOOK_IN_FLIGHT_START; n++) lane.add(delivery());
    for (let n = 0; n < LIMITS.WEBHOOK_IN_FLIGHT_START; n++) {
      states.push(lane.state);
      lane.shift();
      lane.begin();
    }
    states.push(lane.state);
    lane.end(SUCCESS);
    states.push(lane.state);
    lane.shift();
    states.push(lane.state);
    expect(states).toEqual(["idle", "ready", "ready", "idle", "ready", "idle"]);
  });

  test("is not ready while its webhook is being read, even if a delivery is added", () => {
    const lane = newLane();
    lane.add(delivery());
    expect([lane.load(), lane.state]).toEqual([true, "loading"]);
    lane.add(delivery());
    expect([lane.load(), lane.state]).toEqual([false, "loading"]);
    lane.loaded(true);
    expect(lane.state).toBe("ready");
  });

  test("reports every change in the length of its queue", () => {
    const changes: number[] = [];
    const lane = new Lane("w", { monotonic: () => now_ms }, (_lane, queued) => changes.push(queued));
    for (const manual of [false, true, false]) lane.add(delivery(manual));
    expect(lane.clear({ manual: false })).toHaveLength(2);
    lane.shift();
    lane.shift();
    expect(changes).toEqual([1, 1, 1, -2, -1, 0]);
  });

  test("is closed to new deliveries once the database has had due rows for two polls, until a claim finds no more", () => {
    const lane = newLane();
    lane.hint();
    lane.poll();
    expect(lane.isClosed).toBe(false); // the row may have just become due
    lane.poll();
    expect(lane.isClosed).toBe(true);
    lane.caughtUp({ manual: false });
    expect([lane.isClosed, lane.mayHaveDue]).toEqual([false, false]);
    lane.hint();
    lane.poll();
    expect(lane.isClosed).toBe(false);
  });

  test("is ready for a manual delivery during a Retry-After, but not without a rate-limit token", () => {
    now_ms = 1;
    const lane = newLane();
    lane.add(delivery());
    lane.restUntil(4_999);
    expect(lane.state).toBe("resting");
    lane.add(delivery(true));
    expect(lane.state).toBe("ready");
    expect([lane.takeToken(1), lane.state]).toEqual([0, "ready"]);
    expect([lane.takeToken(1), lane.state]).toEqual([1_000, "limited"]);
    now_ms = 1_001;
    lane.wake();
    expect([lane.state, lane.shift()!.manual, lane.state]).toEqual(["ready", true, "resting"]);
    now_ms = 5_000;
    lane.wake();
    expect(lane.state).toBe("ready");
  });

  test("does not claim rows while its queue is full", () => {
    const lane = newLane();
    for (let n = 0; n < 100; n++) lane.add(delivery());
    lane.hint();
    expect([lane.room, lane.isClosed, lane.wantsClaim]).toEqual([0, true, false]);
  });
});
