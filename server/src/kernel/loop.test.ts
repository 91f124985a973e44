import { beforeEach, describe, expect, test } from "vitest";
import { Loop } from "./loop.ts";
import { Watchdog } from "./watchdog.ts";

let now_ms = 0;
let timers: { at_ms: number; work: () => void }[] = [];
const clock = {
  now: () => now_ms,
  monotonic: () => now_ms,
  after(delay_ms: number, work: () => void) {
    const timer = { at_ms: now_ms + delay_ms, work };
    timers.push(timer);
    return () => {
      timers = timers.filter((each) => each !== timer);
    };
  },
};
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Moves the clock forward and runs the timers that are due by then. */
async function advance(ms: number): Promise<void> {
  now_ms += ms;
  const due = timers.filter(({ at_ms }) => at_ms <= now_ms);
  timers = timers.filter(({ at_ms }) => at_ms > now_ms);
  for (const { work } of due) work();
  await settled();
}

let watchdog: Watchdog;
let rounds: { end(wait_ms?: number): void; fail(): void }[];
let loop: Loop;

beforeEach(() => {
  timers = [];
  rounds = [];
  watchdog = new Watchdog(clock);
  const round = () =>
    new Promise<number>((resolve, reject) =>
      rounds.push({ end: (wait_ms = 1_000) => resolve(wait_ms), fail: () => reject(new Error("no database")) }),
    );
  const options = { name: "sweep", round, interval_ms: 1_000, retry_ms: 50, limit_ms: 30_000, onError() {} };
  loop = new Loop({ clock, watchdog }, options);
});

describe("a loop", () => {
  test("runs the next round after the interval, or after the time that the round returned", async () => {
    void loop.start();
    rounds[0]!.end();
    await settled();
    await advance(999);
    expect(rounds).toHaveLength(1);
    await advance(1);
    expect(rounds).toHaveLength(2);
    rounds[1]!.end(5);
    await settled();
    await advance(5);
    expect(rounds).toHaveLength(3);
  });

  test("never runs two rounds at once, and follows a round during which it was woken with another one", async () => {
    void loop.start();
    for (let times = 0; times < 3; times++) loop.wake();
    expect(rounds).toHaveLength(1);
    rounds[0]!.end();
    await settled();
    expect(rounds).toHaveLength(2);
    rounds[1]!.end();
    await settled();
    expect(rounds).toHaveLength(2);
  });

  test("continues after a failed round, but not immediately, even if it was woken during the round", async () => {
    void loop.start();
    loop.wake();
    rounds[0]!.fail();
    await settled();
    expect(rounds).toHaveLength(1);
    await advance(50);
    expect(rounds).toHaveLength(2);
  });

  test("can be woken while it waits, without running an extra round later", async () => {
    void loop.start();
    rounds[0]!.end();
    await settled();
    loop.wake();
    expect(rounds).toHaveLength(2);
    rounds[1]!.end();
    await settled();
    await advance(999);
    expect(rounds).toHaveLength(2);
  });

  test("stops once its current round has ended, and cannot be woken afterward", async () => {
    void loop.start();
    let stopped = false;
    const stopping = loop.stop().then(() => {
      stopped = true;
    });
    await settled();
    expect(stopped).toBe(false);
    rounds[0]!.end();
    await stopping;
    loop.wake();
    await advance(10_000);
    expect(rounds).toHaveLength(1);
  });

  test("is reported as late while a round takes longer than its limit", async () => {
    void loop.start();
    await advance(30_000);
    expect(watchdog.late()).toEqual([]);
    await advance(1);
    expect(watchdog.late()).toEqual(["sweep"]);
    rounds[0]!.end();
    await settled();
    expect(watchdog.late()).toEqual([]);
  });
});

test("the watchdog names each late task once, and forgets it when it fails", async () => {
  let fail = (_: Error) => {};
  const work = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const both = [watchdog.during("claim", 10, work), watchdog.during("claim", 10, work)];
  const ended = watchdog.expect("settle", 1_000);
  await advance(11);
  expect(watchdog.late()).toEqual(["claim"]);
  fail(new Error("closed"));
  await Promise.allSettled(both);
  await advance(1_000);
  expect(watchdog.late()).toEqual(["settle"]);
  ended();
  expect(watchdog.late()).toEqual([]);
});
