import { afterAll, expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { response, testNode } from "../../../test/support/delivery.ts";
import { happen } from "../../../test/support/engine.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { systemClock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";

const {
  ATTEMPTS_IN_FLIGHT_MAX,
  ATTEMPTS_SLOW_MAX,
  ATTEMPT_SLOW_AFTER_MS,
  ATTEMPT_SLOW_CHECK_MS,
  WEBHOOK_IN_FLIGHT_MAX,
} = LIMITS;
const WEBHOOKS = (ATTEMPTS_IN_FLIGHT_MAX + ATTEMPTS_SLOW_MAX) / WEBHOOK_IN_FLIGHT_MAX;

/** A clock with real timers, but with a monotonic time that the test sets. It counts the checks for slow attempts. */
let [monotonic_ms, checks] = [Math.ceil(systemClock.monotonic()), 0]; // whole numbers add up exactly
const clock = {
  ...systemClock,
  monotonic: () => monotonic_ms,
  after(delay_ms: number, work: () => void) {
    if (delay_ms === ATTEMPT_SLOW_CHECK_MS) checks += 1;
    return systemClock.after(delay_ms, work);
  },
};

const gate = Promise.withResolvers<void>();
let hanging = false;
const db = await testDatabase();
const node = await testNode(
  db,
  async ({ webhook }) => {
    if (hanging && webhook === "hangs") await gate.promise;
    return response(200);
  },
  { clock },
);
afterAll(() => node.stop());
let videos = 0;
const newVideo = () => `L${String(++videos).padStart(9, "0")}`;
const quickAndSlow = () => [node.node.stats().inFlight, node.node.stats().slow];
const healthy = () => node.seen.filter(({ webhook }) => webhook === "healthy").length;

/** Advances the time, and waits until the dispatcher has checked for slow attempts. */
async function pass(ms: number): Promise<void> {
  monotonic_ms += ms;
  const before = checks;
  await eventually(() => expect(checks).toBeGreaterThan(before + 1));
}

test("hanging attempts free their slots for quick ones, up to a limit", async () => {
  const register = (name: string, events: ("video.created" | "video.deleted")[]) =>
    node.webhooks.create(node.db, node.space, { url: `https://r.example.com/${name}`, events, ordering: "none" });
  for (let n = 0; n < WEBHOOKS; n++) await register("hangs", ["video.created"]);
  await register("healthy", ["video.deleted"]);
  for (let n = 0; n < WEBHOOK_IN_FLIGHT_MAX; n++) await happen(node, newVideo()); // raises each lane's cap
  await happen(node, newVideo(), "video.deleted"); // so that the node has read this webhook
  await eventually(() => expect(node.node.stats().attempts.succeeded).toBe(WEBHOOKS * WEBHOOK_IN_FLIGHT_MAX + 1));

  hanging = true;
  for (let n = 0; n < WEBHOOK_IN_FLIGHT_MAX; n++) await happen(node, newVideo());
  await eventually(() => expect(quickAndSlow()).toEqual([ATTEMPTS_IN_FLIGHT_MAX, 0]));
  await happen(node, newVideo(), "video.deleted");
  await pass(ATTEMPT_SLOW_AFTER_MS - 1);
  expect([quickAndSlow(), healthy()]).toEqual([[ATTEMPTS_IN_FLIGHT_MAX, 0], 1]);
  await pass(1);
  await eventually(() => expect(healthy()).toBe(2));
  await eventually(() => expect(quickAndSlow()).toEqual([ATTEMPTS_IN_FLIGHT_MAX, ATTEMPTS_IN_FLIGHT_MAX]));

  while (node.node.stats().slow < ATTEMPTS_SLOW_MAX) await pass(ATTEMPT_SLOW_AFTER_MS);
  await eventually(() => expect(quickAndSlow()).toEqual([ATTEMPTS_IN_FLIGHT_MAX, ATTEMPTS_SLOW_MAX]));
  await happen(node, newVideo(), "video.deleted");
  await pass(ATTEMPT_SLOW_AFTER_MS);
  expect([quickAndSlow(), healthy()]).toEqual([[ATTEMPTS_IN_FLIGHT_MAX, ATTEMPTS_SLOW_MAX], 2]); // both limits are reached

  gate.resolve();
  await eventually(() => expect([quickAndSlow(), healthy()]).toEqual([[0, 0], 3]));
});
