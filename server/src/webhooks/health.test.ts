import { expect, test } from "vitest";
import { attemptEnded, type Ended } from "../../../test/support/attempt.ts";
import { testDatabase } from "../../../test/support/database.ts";
import { engineParts, happen } from "../../../test/support/engine.ts";
import { createRecorder } from "../events/record.ts";
import { systemClock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import { createLog } from "../kernel/log.ts";
import { systemRandom } from "../kernel/random.ts";
import { idSeconds, longUuid } from "../kernel/short-uuid.ts";
import { Health } from "./health.ts";

const db = await testDatabase();
const parts = await engineParts(db);
const { space, webhooks } = parts;

const HOUR_MS = 3_600_000;
const NOON_MS = Date.UTC(2026, 3, 1, 12);
const MINUTE_MS = 60_000;
const now_ms = NOON_MS;
const clock = { ...systemClock, now: () => now_ms, after: () => () => {} };
/** The health of two nodes that share a database. The tests flush it explicitly. */
const [one, two] = [0, 1].map(() => new Health({ db, clock, log: createLog("silent", false) })) as [Health, Health];

const register = async () =>
  (await webhooks.create(db, space, { url: "https://r.example.com/", events: ["video.created"] })).id;

const attempt = (webhook: string, ended: Partial<Ended> = {}) =>
  attemptEnded(space, longUuid(webhook)!, { at_ms: NOON_MS, ...ended });

const times = (count: number, what: () => void) => {
  for (let n = 0; n < count; n++) what();
};
const failingSince = async (webhook: string) => (await one.get(space, webhook)).failing_since;

test("the health of a webhook without attempts has no success rate or quantiles but lists all 24 hours", async () => {
  const health = await one.get(space, await register());
  const none = { p50: null, p95: null };
  expect(health).toMatchObject({
    success_rate: null,
    succeeded: 0,
    failed: 0,
    response_ms: none,
    errors: [],
    pending: 0,
  });
  expect(health.hours.map(({ hour }) => hour * 1000)).toEqual(
    Array.from({ length: 24 }, (_, ago) => NOON_MS - (23 - ago) * HOUR_MS),
  );
});

test("health combines success rates, errors and phase quantiles across nodes and flushes", async () => {
  const webhook = await register();
  // Nine in ten attempts reuse a connection and are fast. The rest open a new connection and are slow, and some of
  // those fail.
  times(45, () => one.note(attempt(webhook, { timings: { first_byte: 6, total: 8 } })));
  await one.flush();
  times(45, () => two.note(attempt(webhook, { timings: { first_byte: 6, total: 8 } })));
  const anew = { dns: 2, connect: 25, tls: 35, first_byte: 150, total: 300, reused: false };
  times(4, () => one.note(attempt(webhook, { timings: anew })));
  times(3, () => two.note(attempt(webhook, { timings: anew, status: 503 })));
  times(2, () => one.note(attempt(webhook, { timings: { ...anew, first_byte: null }, status: null, word: "timeout" })));
  one.note(attempt(webhook, { timings: { ...anew, first_byte: null }, status: 404 }));
  await two.flush();
  await one.flush();
  const health = await two.get(space, webhook);
  expect(health).toMatchObject({
    succeeded: 94,
    failed: 6,
    success_rate: 0.94,
    response_ms: { p50: 8.7, p95: 340 }, // the 50th of 90 between 7 and 10 ms, and the 5th of 10 between 280 and 400 ms
    phases: {
      dns: { p50: 1.5, p95: 2 }, // all ten are between 1 and 2 ms
      connect: { p50: 24, p95: 27.6 }, // all ten are between 20 and 28 ms
      tls: { p50: 34, p95: 39.4 }, // all ten are between 28 and 40 ms
      first_byte: { p50: 6.1, p95: 158.4 }, // rank 48.5 of 90 in 5–7 ms, rank 2.15 of 7 in 140–200 ms
      total: { p50: 8.7, p95: 340 },
    },
    errors: [
      { word: "503", count: 3 },
      { word: "timeout", count: 2 },
      { word: "404", count: 1 },
    ],
  });
  expect(health.hours.at(-1)).toMatchObject({ succeeded: 94, failed: 6, p50: 8.7, p95: 340 });
});

test("health covers each of the last 24 hours and their total, but nothing older", async () => {
  const webhook = await register();
  one.note(attempt(webhook, { at_ms: NOON_MS - 24 * HOUR_MS + HOUR_MS - 1, status: 500 }));
  times(3, () => one.note(attempt(webhook, { at_ms: NOON_MS - 23 * HOUR_MS })));
  one.note(attempt(webhook, { at_ms: NOON_MS - 1, status: 500 }));
  one.note(attempt(webhook, { at_ms: NOON_MS + MINUTE_MS }));
  await one.flush();
  const { hours, ...day } = await one.get(space, webhook);
  expect(day).toMatchObject({ succeeded: 4, failed: 1, success_rate: 0.8, errors: [{ word: "500", count: 1 }] });
  const busy = hours.filter(({ succeeded, failed }) => succeeded + failed > 0);
  expect(busy.map(({ hour, succeeded, failed }) => [hour * 1000, succeeded, failed])).toEqual([
    [NOON_MS - 23 * HOUR_MS, 3, 0],
    [NOON_MS - HOUR_MS, 0, 1],
    [NOON_MS, 1, 0],
  ]);
});

test("health includes the backlog's size, oldest event and estimated drain time", async () => {
  const webhook = await register();
  await webhooks.update(db, space, webhook, { status: "paused", rate_limit: 2 });
  const early = { ...systemClock, now: () => systemClock.now() - HOUR_MS };
  const recorder = createRecorder({ ...parts, clock: early, random: systemRandom });
  const oldest = await happen({ db, space, recorder }, "HHHHHHHHH0");
  for (let n = 1; n < 5; n++) await happen(parts, `HHHHHHHHH${n}`);
  const { pending, oldest_pending, drain_seconds } = await one.get(space, webhook);
  expect({ pending, oldest_pending, drain_seconds }).toEqual({
    pending: 5,
    oldest_pending: idSeconds(longUuid(oldest)!),
    drain_seconds: 3,
  });
});

test("failing_since is the first failure after the last success, and disables_at is five days later", async () => {
  const webhook = await register();
  one.note(attempt(webhook, { status: 500 }));
  one.note(attempt(webhook, { at_ms: NOON_MS + MINUTE_MS }));
  one.note(attempt(webhook, { at_ms: NOON_MS + 2 * MINUTE_MS, status: 500 }));
  await one.flush();
  one.note(attempt(webhook, { at_ms: NOON_MS + 3 * MINUTE_MS, status: 500 }));
  await one.flush();
  const since = (NOON_MS + 2 * MINUTE_MS) / 1000;
  const failing = { failing_since: since, disables_at: since + LIMITS.WEBHOOK_FAILING_MS / 1000 };
  expect(await one.get(space, webhook)).toMatchObject(failing);
  expect(await webhooks.get(space, webhook)).toMatchObject(failing);
  expect((await webhooks.list(space, { limit: 100 })).data.find(({ id }) => id === webhook)).toMatchObject(failing);
  await webhooks.update(db, space, webhook, { status: "paused" });
  expect(await webhooks.get(space, webhook)).toMatchObject({ failing_since: since, disables_at: null });
});

test("a webhook is failing from the first failure that any node reports until any node reports a success", async () => {
  const webhook = await register();
  two.note(attempt(webhook, { at_ms: NOON_MS + MINUTE_MS, status: 500 }));
  one.note(attempt(webhook, { status: 500 }));
  await one.flush();
  await two.flush();
  expect(await failingSince(webhook)).toBe(NOON_MS / 1000);
  two.note(attempt(webhook, { at_ms: NOON_MS + 2 * MINUTE_MS }));
  await two.flush();
  expect(await failingSince(webhook)).toBeNull();
  one.note(attempt(webhook, { at_ms: NOON_MS + 3 * MINUTE_MS, status: 500 }));
  await one.flush();
  expect(await failingSince(webhook)).toBe(NOON_MS / 1000 + 180);
});

test.each([
  ["a failure and then a success", [500, 200], null],
  ["a success and then a failure", [200, 500], 1],
  ["a success and then two failures", [200, 500, 500], 1],
  ["two failures", [500, 500], 0],
])("%s in one flush set failing_since correctly wherever the hour boundary falls", async (_what, statuses, failing) => {
  for (const early of statuses.keys()) {
    const webhook = await register();
    const at = (index: number) => NOON_MS + (index - early) * MINUTE_MS;
    for (const [index, status] of statuses.entries()) one.note(attempt(webhook, { at_ms: at(index), status }));
    await one.flush();
    expect(await failingSince(webhook)).toBe(failing === null ? null : at(failing) / 1000);
  }
});

test("health keeps the newest certificate's expiry while connections are reused", async () => {
  const webhook = await register();
  const [before, after] = [new Date("2026-06-01T00:00:00Z"), new Date("2026-09-01T00:00:00Z")];
  one.note(attempt(webhook, { at_ms: NOON_MS - 1, certificateUntil: before }));
  one.note(attempt(webhook, { certificateUntil: after }));
  one.note(attempt(webhook, { at_ms: NOON_MS + HOUR_MS }));
  await one.flush();
  expect((await one.get(space, webhook)).certificate_until).toBe(after.getTime() / 1000);
});

test("getting the health of another space's webhook fails with NOT_FOUND", async () => {
  const webhook = await register();
  await expect(one.get("11111111-1111-1111-1111-111111111111", webhook)).rejects.toMatchObject({ code: "NOT_FOUND" });
});
