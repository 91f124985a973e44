import { afterEach, describe, expect, test, vi } from "vitest";
import { RETRY_SCHEDULE_S } from "../../server/src/delivery/retry-schedule.ts";
import { LIMITS } from "../../server/src/kernel/limits.ts";
import { status } from "./receivers.ts";
import { simulatedServer } from "./server.ts";
import { Stage } from "./stage.ts";

vi.setConfig({ testTimeout: 300_000 }); // on a busy machine, a simulated second may take several real ones

const connections = await simulatedServer();
let stage = new Stage(connections);

afterEach(async () => {
  await stage.close();
  stage = new Stage(connections);
});

/** Returns the requests sent in this interval. */
const sentBetween = (begin_ms: number, end_ms: number) =>
  stage.sent.filter(({ at_ms }) => at_ms >= begin_ms && at_ms < end_ms);

describe("a rate limit", () => {
  const RATE = 20;

  /** Expects the rate never to exceed the limit in any one second, and to reach it overall. */
  function expectRate(begin_ms: number, seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      const from_ms = begin_ms + second * 1_000;
      expect(sentBetween(from_ms, from_ms + 1_000).length).toBeLessThanOrEqual(RATE * 1.1);
    }
    const all = sentBetween(begin_ms, begin_ms + seconds * 1_000).length;
    expect(all).toBeGreaterThanOrEqual(RATE * seconds * 0.9);
    expect(all).toBeLessThanOrEqual(RATE * seconds * 1.1);
  }

  test("is met to within 10% while three nodes drain a backlog", async () => {
    await stage.open(3, { rate_limit: RATE });
    await stage.setStatus("paused");
    for (let n = 0; n < 400; n++) await stage.until(stage.happen(n % 3));
    await stage.setStatus("enabled");
    const begin_ms = stage.world.now_ms + 2_000;
    await stage.pass(14_000);
    expectRate(begin_ms, 12);
    expect(new Set(stage.sent.map(({ node }) => node)).size).toBe(3);
  });

  test("is met to within 10% even if all events are recorded on one of three nodes", async () => {
    await stage.open(3, { rate_limit: RATE });
    const begin_ms = stage.world.now_ms;
    await stage.steadily(RATE * 1.2, 18, () => void stage.happen(0));
    expectRate(begin_ms + 5_000, 12);
  });

  test("delays no event while tokens are available, even if all events are recorded on one of three nodes", async () => {
    await stage.open(3, { rate_limit: RATE });
    const recorded = new Map<string, number>();
    await stage.steadily(RATE * 0.6, 20, async () => {
      const at_ms = stage.world.now_ms;
      recorded.set(await stage.happen(0), at_ms);
    });
    await stage.pass(3_000);
    const waits = stage.sent.map(({ event, at_ms }) => at_ms - recorded.get(event)!);
    expect(waits.length).toBe(RATE * 0.6 * 20);
    expect(Math.max(...waits)).toBeLessThan(2_000);
  });
});

describe("a webhook whose events are recorded faster than they can be sent", () => {
  test("gets retries and older events from the database before new events", async () => {
    await stage.open(1, { rate_limit: 40 });
    const recorded = new Map<string, number>();
    const happen = async () => {
      const at_ms = stage.world.now_ms;
      recorded.set(await stage.happen(), at_ms);
    };
    stage.temper = "failing";
    await stage.until(happen());
    await stage.pass(100);
    stage.temper = "healthy";
    await stage.steadily(50, 12, () => void happen());
    const retry = stage.sent.find(({ attempt }) => attempt === 2);
    expect(retry).toMatchObject({ event: [...recorded.keys()][0] });
    const sent = new Set(stage.sent.map(({ event }) => event));
    const left = [...recorded].filter(([event]) => !sent.has(event));
    expect(stage.world.now_ms - Math.min(...left.map(([, at_ms]) => at_ms))).toBeLessThan(5_000);
  });
});

describe("a backlog", () => {
  test("is drained oldest first, before events recorded in the meantime", async () => {
    await stage.open(1, { rate_limit: 40 });
    await stage.setStatus("paused");
    const order: string[] = [];
    const happen = async () => {
      const place = order.push("") - 1;
      order[place] = await stage.happen();
    };
    for (let n = 0; n < 200; n++) {
      await stage.until(happen());
      await stage.pass(1); // so that no two events have the same time
    }
    await stage.setStatus("enabled");
    await stage.pass(2_500); // lets the node notice the backlog
    await stage.steadily(10, 5, () => void happen());
    await stage.pass(3_000);
    expect(stage.sent.map(({ event }) => event)).toEqual(order);
  });
});

describe("a webhook whose receiver was unavailable", () => {
  test("gets its backlog with slow start: two attempts at a time, plus one with each success", async () => {
    await stage.open(1);
    await stage.setStatus("paused");
    for (let n = 0; n < 60; n++) await stage.until(stage.happen());
    stage.temper = "failing";
    await stage.setStatus("enabled");
    while (stage.sent.length < 60) await stage.pass(1); // nearly all deliveries have failed once
    stage.temper = "healthy";
    const atOnce: number[] = [];
    let successes = 0;
    stage.onEnd = () => {
      successes += 1;
    };
    for (let n = 0; successes < 20 && n < 5_000; n++) {
      await stage.pass(1);
      atOnce.push(stage.inFlight - successes);
    }
    expect(successes).toBeGreaterThanOrEqual(20);
    expect(Math.max(...atOnce)).toBeLessThanOrEqual(LIMITS.WEBHOOK_IN_FLIGHT_START);
  });
});

describe("a webhook whose receiver responds with 429 or 503", () => {
  /** How long nothing may be sent: the longest rest, the poll that follows it, and an attempt. */
  const SILENT_MAX_MS = LIMITS.REST_MAX_MS + 3 * LIMITS.POLL_MS;
  const HEADERS: (string | null)[] = [
    ...["60000", "3600", "59", "5", "1", "0", "-1", "soon", "1e9", "999999999", ""],
    ...["Wed, 21 Oct 2099 07:28:00 GMT", "Wed, 21 Oct 1999 07:28:00 GMT", null],
  ];

  test.each([1, 2, 3])(
    "is never silent for longer than a rest while deliveries are due, whatever the headers (seed %i)",
    async (seed) => {
      stage = new Stage(connections, seed);
      await stage.open(2);
      const { random } = stage.world;
      stage.temper = () => {
        const value = HEADERS[random.integer(HEADERS.length)]!;
        const headers: [string, string][] = value === null ? [] : [["Retry-After", value]];
        return random.chance(0.2) ? status(200) : status(random.chance(0.5) ? 429 : 503, headers);
      };
      for (let n = 0; n < 40; n++) await stage.until(stage.happen(n % 2));
      let [silentSince_ms, longest_ms, sent] = [stage.world.now_ms, 0, 0];
      for (let second = 0; second < 240; second++) {
        await stage.pass(1_000);
        const { due } = await stage.depth();
        if (stage.sent.length > sent || due === 0) silentSince_ms = stage.world.now_ms;
        sent = stage.sent.length;
        longest_ms = Math.max(longest_ms, stage.world.now_ms - silentSince_ms);
      }
      expect(sent).toBeGreaterThan(10);
      expect(longest_ms).toBeLessThanOrEqual(SILENT_MAX_MS);
    },
  );

  test("gets its other deliveries within a minute of a Retry-After of 60,000 s", async () => {
    await stage.open(1);
    stage.temper = () => status(429, [["Retry-After", "60000"]]);
    await stage.until(stage.happen());
    await stage.pass(500);
    stage.temper = "healthy";
    for (let n = 0; n < 40; n++) await stage.until(stage.happen());
    await stage.pass(SILENT_MAX_MS);
    expect(await stage.depth()).toEqual({ pending: 1, due: 0 }); // the delivery that got the response
  });
});

describe("a webhook whose receiver was down", () => {
  test("gets all its retries within seconds of its first success, with slow start", async () => {
    stage.schedule_s = RETRY_SCHEDULE_S;
    await stage.open(1);
    stage.temper = "failing";
    for (let n = 0; n < 84; n++) await stage.until(stage.happen());
    await stage.pass(15_000); // the second attempt has failed, too; the third one is due in minutes
    expect(await stage.depth()).toEqual({ pending: 84, due: 0 });
    stage.temper = "healthy";
    const failed = stage.sent.length;
    await stage.until(stage.happen());
    await stage.pass(3_000);
    expect(await stage.depth()).toEqual({ pending: 0, due: 0 });
    expect(stage.sent.length).toBe(failed + 85);
  });
});

describe("a replay", () => {
  /** The longest time a healthy receiver takes to respond. */
  const RESPONSE_MAX_MS = 50;
  /**
   * A claim takes as many rows as fit into about this many rounds of requests, and a live event waits behind all of
   * them.
   */
  const ROUNDS_CLAIMED = 3;

  test("does not delay its webhook's live events", async () => {
    await stage.open(1);
    await stage.steadily(200, 3, () => void stage.happen());
    await stage.pass(5_000);
    stage.sent.length = 0;
    await stage.replay();
    await stage.pass(5); // lets the node claim the replay's first rows
    const recorded = new Map<string, number>();
    await stage.steadily(20, 4, async () => {
      const at_ms = stage.world.now_ms;
      recorded.set(await stage.happen(), at_ms);
    });
    await stage.pass(5_000);
    const waits = [...recorded].map(([event, at_ms]) => stage.sent.find((one) => one.event === event)!.at_ms - at_ms);
    expect(new Set(stage.sent.map(({ event }) => event)).size).toBe(600 + 80);
    expect(Math.max(...waits)).toBeLessThan(RESPONSE_MAX_MS * ROUNDS_CLAIMED);
  });
});
