import { afterAll, expect, test, vi } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { type Clock, systemClock } from "../kernel/clock.ts";
import { createLog } from "../kernel/log.ts";
import { systemRandom } from "../kernel/random.ts";
import { createSignals } from "../kernel/signals.ts";
import { Watchdog } from "../kernel/watchdog.ts";
import { createLive } from "./live.ts";

const db = await testDatabase();
const loop = { clock: systemClock, log: createLog("silent"), watchdog: new Watchdog(systemClock) };

function node() {
  const signals = createSignals();
  const live = createLive({ db, ...loop, random: systemRandom, signals });
  live.start();
  afterAll(live.stop);
  return { signals, live };
}

const [here, there] = [node(), node()];
const listeners =
  "select count(*)::int as n from pg_stat_activity where query ilike 'listen mave_live%' and datname = current_database()";
const video = (n: number) => ({ space: "s", video: `v${n}` });

test("a change reaches viewers on other nodes, and reaches viewers on its own node only once", async () => {
  const [seenHere, seenThere] = [vi.fn(), vi.fn()];
  here.live.on("video", seenHere);
  there.live.on("video", seenThere);
  let n = 0;
  await eventually(() => {
    here.signals.emit("video", video(++n));
    expect(seenThere).toHaveBeenCalled();
  });
  here.signals.emit("video", video(0));
  await eventually(() => expect(seenThere).toHaveBeenLastCalledWith(video(0)));
  expect(seenHere.mock.calls.filter(([change]) => change.video === "v0")).toHaveLength(1);
});

test("a node does not collect delivery changes while no other node has viewers", async () => {
  const alone = createSignals();
  createLive({ db, ...loop, random: systemRandom, signals: alone });
  expect(alone.hasListeners("delivery")).toBe(false);
});

test("a node whose connection is cut reconnects and listens again", async () => {
  const [seen, missed] = [vi.fn(), vi.fn()];
  there.live.on("webhook", seen);
  await eventually(async () => {
    const [row] = await db.run<{ n: number }>({ name: "live_listeners", text: listeners });
    expect(row!.n).toBeGreaterThanOrEqual(2);
  });
  there.live.onMissed(missed);
  await db.run({
    name: "live_cut",
    text: "select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen mave_live%' and datname = current_database()",
  });
  let n = 0;
  await eventually(() => {
    here.signals.emit("webhook", { space: "s", webhook: `w${++n}` });
    expect(seen).toHaveBeenCalled();
  });
  expect(missed).toHaveBeenCalled();
});

test("a node that cannot listen reports periodically that changes may have been missed", async () => {
  const quick: Clock = { ...systemClock, after: (_, work) => systemClock.after(1, work) };
  const pooled = { ...db, sharesSessions: true };
  const log = createLog("silent");
  const live = createLive({ db: pooled, ...loop, clock: quick, log, random: systemRandom, signals: createSignals() });
  const missed = vi.fn();
  live.onMissed(missed);
  live.start();
  afterAll(live.stop);
  await eventually(() => expect(missed.mock.calls.length).toBeGreaterThan(2));
});
