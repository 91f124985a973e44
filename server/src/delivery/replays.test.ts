import { beforeEach, describe, expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { createRecorder } from "../events/record.ts";
import { systemClock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import { createLog } from "../kernel/log.ts";
import { systemRandom } from "../kernel/random.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import { createSignals } from "../kernel/signals.ts";
import { uuidV7 } from "../kernel/uuid.ts";
import { Watchdog } from "../kernel/watchdog.ts";
import { allowance } from "./replay-runner.ts";
import { createReplays } from "./replays.ts";

const db = await testDatabase();
const parts = {
  db,
  clock: systemClock,
  random: systemRandom,
  log: createLog("silent", false),
  signals: createSignals(),
  watchdog: new Watchdog(systemClock),
};
const recorder = createRecorder(parts);
const replays = createReplays(parts);
const query = <Row>(text: string, values: unknown[] = []) => db.run<Row>({ name: "", text }, values);

const EVENTS = ["video.created", "video.uploaded", "video.deleted"] as const;
const HOUR_AGO = Math.floor(Date.now() / 1000) - 3_600;
const LATER = Math.floor(Date.now() / 1000) + 3_600;
let space: string;
let webhook: string;
let range: { webhook: string; since: number; until: number; rate: null };

async function addWebhook(): Promise<string> {
  const id = uuidV7(Date.now(), systemRandom);
  await query(
    `insert into webhooks (space_id, id, url, events, secret, secret_hint) values ($1, $2, 'https://example.com', $3, '', 'abcd')`,
    [space, id, EVENTS],
  );
  return id;
}

const record = (video: string, sequence: number, type: (typeof EVENTS)[number] = EVENTS[sequence - 1]!) =>
  db.transaction((tx) => recorder.record(tx, { space, type, video, sequence, data: { id: video } }));

/** Moves pending deliveries to the history, as a settle does. */
const finishing = (status: "succeeded" | "failed", where: string) =>
  `with gone as (delete from pending_deliveries where ${where} returning *)
   insert into deliveries (space_id, id, webhook_id, event_id, type, video_id, sequence, previous, status, attempts)
   select space_id, id, webhook_id, event_id, type, video_id, sequence, previous, '${status}', attempt + 1 from gone
   on conflict (space_id, id) do update set status = excluded.status, attempts = excluded.attempts`;
const finish = (status: "succeeded" | "failed", where = "true") => query(finishing(status, where));

interface Pending {
  id: string;
  video_id: string;
  sequence: number;
  attempt: number;
  previous: number;
  blocked: boolean;
  replayed: boolean;
}
const pending = () =>
  query<Pending>(
    `select id, video_id, sequence, attempt, previous, due_at = 'infinity' as blocked, replay_id is not null as replayed
     from pending_deliveries where webhook_id = $1 order by video_id, sequence`,
    [webhook],
  );

beforeEach(async () => {
  await query("truncate pending_deliveries, deliveries, events, replays, webhooks, webhook_hours");
  [{ id: space }] = (await query<{ id: string }>("select id from spaces limit 1")) as [{ id: string }];
  webhook = await addWebhook();
  range = { webhook: shortUuid(webhook), since: HOUR_AGO, until: LATER, rate: null };
});

test("a dry run counts the events, returns their first and last times, and stores nothing", async () => {
  await record("aaaaaaaaaa", 1);
  await record("bbbbbbbbbb", 1);
  await finish("succeeded");
  const counted = await replays.dryRun(space, range);
  expect(counted).toMatchObject({ id: null, status: "dry_run", total: 2, done: 0 });
  expect(counted.first).toBeLessThanOrEqual(counted.last!);
  expect(await pending()).toEqual([]);
  expect((await replays.list(space, { limit: 20 })).data).toEqual([]);
});

test("a replay reopens finished deliveries, which keep their ids and continue their attempt numbers", async () => {
  await record("aaaaaaaaaa", 1);
  const [first] = await pending();
  await finish("failed");
  const { id, total } = await replays.create(db, space, range, null);
  expect(total).toBe(1);
  await replays.round();
  expect(await pending()).toEqual([{ ...first!, attempt: 1, replayed: true }]);
  expect(await replays.get(space, id)).toMatchObject({ status: "done", done: 1 });
});

test("a delivery that finishes while a replay is reopening it continues its attempt numbers", async () => {
  await record("aaaaaaaaaa", 1);
  await finish("succeeded");
  await record("bbbbbbbbbb", 1);
  await replays.create(db, space, range, null);
  const round = await db.transaction(async (tx) => {
    await tx.run({ name: "", text: finishing("succeeded", "video_id = 'bbbbbbbbbb'") });
    const running = replays.round();
    const waits = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while ((await query(waits)).length === 0);
    return [running];
  });
  await Promise.all(round);
  expect(await pending()).toMatchObject([{ attempt: 1 }, { video_id: "bbbbbbbbbb", attempt: 1 }]);
});

test("a replay filters by status", async () => {
  await record("aaaaaaaaaa", 1);
  await record("bbbbbbbbbb", 1);
  await finish("failed", "video_id = 'aaaaaaaaaa'");
  await finish("succeeded");
  await replays.create(db, space, { ...range, statuses: ["failed"] }, null);
  await replays.round();
  expect((await pending()).map(({ video_id }) => video_id)).toEqual(["aaaaaaaaaa"]);
});

test("a replay filters by type and video", async () => {
  for (const video of ["aaaaaaaaaa", "bbbbbbbbbb"]) for (const sequence of [1, 2]) await record(video, sequence);
  await finish("succeeded");
  await replays.create(db, space, { ...range, types: ["video.uploaded"], video: "bbbbbbbbbb" }, null);
  await replays.round();
  expect(await pending()).toMatchObject([{ video_id: "bbbbbbbbbb", sequence: 2 }]);
});

test("a replay creates deliveries for events older than the webhook", async () => {
  await record("aaaaaaaaaa", 1);
  await record("aaaaaaaaaa", 2);
  await finish("succeeded");
  webhook = await addWebhook();
  await replays.create(db, space, { ...range, webhook: shortUuid(webhook), statuses: ["never"] }, null);
  await replays.round();
  expect(await pending()).toMatchObject([
    { sequence: 1, previous: 0, attempt: 0, blocked: false },
    { sequence: 2, previous: 1, attempt: 0, blocked: true },
  ]);
});

test("a replay includes an event recorded before the webhook existed, even if the event commits after the replay is created", async () => {
  const [recorded, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const slow = db.transaction(async (tx) => {
    await recorder.record(tx, {
      space,
      type: "video.created",
      video: "aaaaaaaaaa",
      sequence: 1,
      data: { id: "aaaaaaaaaa" },
    });
    recorded.resolve();
    await go.promise;
  });
  await recorded.promise;
  try {
    webhook = await addWebhook();
    const { id } = await replays.create(db, space, { ...range, webhook: shortUuid(webhook) }, null);
    expect(await replays.round()).toBe(true); // the replay has not started
    expect(await replays.get(space, id)).toMatchObject({ status: "running", done: 0 });
  } finally {
    go.resolve();
    await slow;
  }
  await replays.round();
  expect(await pending()).toMatchObject([{ video_id: "aaaaaaaaaa", replayed: true }]);
  expect((await replays.list(space, { limit: 1 })).data).toMatchObject([{ status: "done", total: 1, done: 1 }]);
});

test("a replay does not wait for read-only transactions, or for transactions that began after it was created", async () => {
  await record("aaaaaaaaaa", 1);
  await finish("succeeded");
  const reader = await db.connect();
  await reader.query("begin; select from events");
  const { id } = await replays.create(db, space, range, null);
  const writer = await db.connect();
  await writer.query("begin; lock table events in row exclusive mode");
  await replays.round();
  expect(await replays.get(space, id)).toMatchObject({ status: "done", done: 1 });
  await Promise.all([reader.end(), writer.end()]);
});

test("a replay neither changes nor counts pending deliveries", async () => {
  await record("aaaaaaaaaa", 1);
  const before = await pending();
  expect((await replays.create(db, space, range, null)).total).toBe(0);
  await replays.round();
  expect(await pending()).toEqual(before);
});

describe("a replay's progress", () => {
  test("excludes deliveries that stay pending", async () => {
    for (const video of ["aaaaaaaaaa", "bbbbbbbbbb"]) await record(video, 1);
    await finish("failed", "video_id = 'aaaaaaaaaa'");
    const { id, total } = await replays.create(db, space, range, null);
    await replays.round();
    expect(total).toBe(1);
    expect(await replays.get(space, id)).toMatchObject({ status: "done", total: 1, done: 1 });
  });

  test("includes deliveries that finish after the replay was created, in both the total and the done count", async () => {
    for (const video of ["aaaaaaaaaa", "bbbbbbbbbb"]) await record(video, 1);
    const { id, total } = await replays.create(db, space, range, null);
    await finish("succeeded");
    await replays.round();
    expect(total).toBe(0);
    expect(await replays.get(space, id)).toMatchObject({ status: "done", total: 2, done: 2 });
  });

  test("subtracts events that no longer match from the total", async () => {
    for (const video of ["aaaaaaaaaa", "bbbbbbbbbb"]) await record(video, 1);
    await finish("failed");
    const { id, total } = await replays.create(db, space, { ...range, statuses: ["failed"] }, null);
    await query("update deliveries set status = 'succeeded' where video_id = 'bbbbbbbbbb'");
    await replays.round();
    expect(total).toBe(2);
    expect(await replays.get(space, id)).toMatchObject({ status: "done", total: 1, done: 1 });
  });

  test("never exceeds its total", async () => {
    const many = LIMITS.REPLAY_WINDOW + 5;
    for (let index = 0; index < many; index++) await record(`video${String(index).padStart(5, "0")}`, 1);
    const { id, total } = await replays.create(db, space, range, null);
    await finish("succeeded");
    expect(total).toBe(0);
    await replays.round();
    expect(await replays.get(space, id)).toMatchObject({
      status: "running",
      total: LIMITS.REPLAY_WINDOW,
      done: LIMITS.REPLAY_WINDOW,
    });
    await finish("succeeded");
    await replays.round();
    expect(await replays.get(space, id)).toMatchObject({ status: "done", total: many, done: many });
  });
});

describe("a replay with ordering", () => {
  test("makes a video's later events wait for the earlier ones", async () => {
    for (const sequence of [1, 2, 3]) await record("aaaaaaaaaa", sequence);
    await finish("succeeded");
    await replays.create(db, space, range, null);
    await replays.round();
    expect((await pending()).map(({ blocked }) => blocked)).toEqual([false, true, true]);
  });

  test("makes a new event wait for the replayed events of its video", async () => {
    await record("aaaaaaaaaa", 1);
    await finish("succeeded");
    await replays.create(db, space, range, null);
    await replays.round();
    await record("aaaaaaaaaa", 2);
    expect((await pending()).map(({ blocked }) => blocked)).toEqual([false, true]);
  });
});

describe("a large replay", () => {
  const many = LIMITS.REPLAY_WINDOW * 2 + 7;
  const video = (index: number) => `video${String(index).padStart(5, "0")}`;

  beforeEach(async () => {
    for (let index = 0; index < many; index++) await record(video(index), 1);
    await finish("succeeded");
  });

  test("never has more deliveries pending than its window allows, and continues as they finish", async () => {
    const { id } = await replays.create(db, space, range, null);
    const sizes: number[] = [];
    while (await replays.round()) {
      sizes.push((await pending()).length);
      expect(await replays.round()).toBe(true); // the window is full
      expect((await pending()).length).toBe(sizes.at(-1));
      await finish("succeeded");
    }
    expect(sizes).toEqual([LIMITS.REPLAY_WINDOW, LIMITS.REPLAY_WINDOW]);
    expect(await replays.get(space, id)).toMatchObject({ status: "done", total: many, done: many });
  });

  test("reopens each delivery only once, even if two nodes run the replay", async () => {
    const other = createReplays(parts);
    const { id } = await replays.create(db, space, range, null);
    while ((await Promise.all([replays.round(), other.round()])).includes(true)) await finish("succeeded");
    const [sent] = await query<{ attempts: number }>("select sum(attempts)::int as attempts from deliveries");
    await finish("succeeded");
    expect(await replays.get(space, id)).toMatchObject({ done: many });
    expect(sent!.attempts + 7).toBe(many * 2); // each has one earlier and one replayed attempt; the last 7 were pending
  });

  test("reopens and counts nothing if a step does not commit", async () => {
    const { id } = await replays.create(db, space, range, null);
    const failing = createReplays({
      ...parts,
      db: { ...db, transaction: (work) => db.transaction(async (tx) => Promise.reject(await work(tx))) },
    });
    await expect(failing.round()).rejects.toBeDefined();
    expect(await pending()).toEqual([]);
    expect((await replays.get(space, id)).done).toBe(0);
  });

  test("reopens nothing while paused, and continues where it stopped when resumed", async () => {
    const { id } = await replays.create(db, space, range, null);
    await replays.round();
    await replays.update(db, space, id, { status: "paused" });
    await finish("succeeded");
    expect(await replays.round()).toBe(false);
    expect(await pending()).toEqual([]);
    await replays.update(db, space, id, { status: "running" });
    await replays.round();
    expect((await replays.get(space, id)).done).toBe(LIMITS.REPLAY_WINDOW * 2);
  });

  test("cancels its pending deliveries when canceled, except those being sent, and leaves the history unchanged", async () => {
    const { id } = await replays.create(db, space, range, null);
    await replays.round();
    await query("update pending_deliveries set leased_until = now() + interval '1 minute' where video_id = $1", [
      video(0),
    ]);
    expect(await replays.cancel(db, space, id)).toMatchObject({ status: "canceled" });
    expect((await pending()).map(({ video_id }) => video_id)).toEqual([video(0)]);
    const [kept] = await query<{ count: number }>("select count(*)::int from deliveries where status = 'succeeded'");
    expect(kept!.count).toBe(many);
    await expect(replays.cancel(db, space, id)).rejects.toMatchObject({ code: "CONFLICT" });
  });

  test("is canceled when its webhook is deleted", async () => {
    const { id } = await replays.create(db, space, range, null);
    await query("delete from webhooks");
    await replays.round();
    expect(await replays.get(space, id)).toMatchObject({ status: "canceled", done: 0 });
  });
});

test("deliveries created by a canceled replay are canceled with a reason", async () => {
  for (let index = 0; index <= LIMITS.REPLAY_WINDOW; index++) await record(`video${String(index).padStart(5, "0")}`, 1);
  await finish("succeeded");
  webhook = await addWebhook();
  const { id } = await replays.create(db, space, { ...range, webhook: shortUuid(webhook) }, null);
  await replays.round();
  await replays.cancel(db, space, id);
  const rows = await query("select distinct status, reason from deliveries where webhook_id = $1", [webhook]);
  expect(rows).toEqual([{ status: "canceled", reason: "Its replay was canceled." }]);
});

test("a replay has a default rate that spares live traffic, and no limit if its rate is null", async () => {
  const { rate: _, ...unsaid } = range;
  expect(await replays.dryRun(space, unsaid)).toMatchObject({ rate: LIMITS.REPLAY_RATE });
  expect(await replays.create(db, space, unsaid, null)).toMatchObject({ rate: LIMITS.REPLAY_RATE });
  expect(await replays.create(db, space, range, null)).toMatchObject({ rate: null });
});

test("a replay reopens no more deliveries per step than its rate allows, and does not catch up after a pause", () => {
  expect(allowance(0, 40, 10, 0.05)).toBe(0);
  expect(allowance(0, 40, 10, 0.25)).toBe(2);
  expect(allowance(0, 40, 10, 3_600)).toBe(10);
  expect(allowance(35, 40, 10, 1)).toBe(5);
  expect(allowance(50, 40, null, 1)).toBe(0);
  expect(allowance(0, 40, null, 0)).toBe(40);
});

test("a space cannot use another space's replay or webhook", async () => {
  const { id } = await replays.create(db, space, range, null);
  const other = "00000000-0000-4000-8000-000000000009";
  await expect(replays.get(other, id)).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(replays.cancel(db, other, id)).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(replays.create(db, other, range, null)).rejects.toMatchObject({ code: "REQUEST_INVALID" });
});

test("a range that ends before it starts is rejected, and the error names the field", async () => {
  const wrong = { ...range, since: range.until, until: range.since };
  await expect(replays.create(db, space, wrong, null)).rejects.toMatchObject({ errors: [{ path: "/until" }] });
});
