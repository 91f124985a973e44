import { afterEach, beforeEach, expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { systemClock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import { createLog } from "../kernel/log.ts";
import { systemRandom } from "../kernel/random.ts";
import { uuidV7 } from "../kernel/uuid.ts";
import { Watchdog } from "../kernel/watchdog.ts";
import { dropPartition, firstDayKept, partitionsBefore } from "../store/partitions.ts";
import { createRetention } from "./retention.ts";

const DAY_MS = 86_400_000;
const SPACE = "00000000-0000-4000-8000-000000000001";
const db = await testDatabase();
const log = createLog("silent", false);
const watchdog = new Watchdog(systemClock);
const retention = createRetention({ db, clock: systemClock, log, watchdog, days: 30 });

const rows = async (text: string, values: unknown[] = []) => {
  const client = await db.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
};
const partitions = async (parent: string) =>
  (await rows("select day::text from partition_days($1) day order by day", [parent])).map(({ day }) => day);
const dayName = (ago: number) => new Date(Date.now() - ago * DAY_MS).toISOString().slice(0, 10);

async function createEvent(age_days: number): Promise<string> {
  const id = uuidV7(Date.now() - age_days * DAY_MS, systemRandom);
  await rows("insert into events (space_id, id, type, sequence, payload) values ($1, $2, 'video.created', 1, '{}')", [
    SPACE,
    id,
  ]);
  return id;
}

async function createPendingDelivery(event: string): Promise<void> {
  await rows(
    `insert into pending_deliveries (space_id, webhook_id, video_id, sequence, id, event_id, type, previous, due_at)
     values ($1, gen_random_uuid(), 'k1iFD7h4rW', 1, $2, $2, 'video.created', 0, now())`,
    [SPACE, event],
  );
}

const kept = async (event: string) => (await rows("select id from events where id = $1", [event])).length === 1;

beforeEach(() => retention.round());
afterEach(() => rows("truncate events, pending_deliveries"));

test("a round creates partitions for today and the week ahead in the events, deliveries and attempts tables", async () => {
  for (const parent of ["events", "deliveries", "attempts"]) {
    expect(await partitions(parent)).toEqual(expect.arrayContaining([dayName(0), dayName(-7)]));
  }
});

test("a new event is stored in the partition for its day", async () => {
  const event = await createEvent(0);
  const [row] = await rows("select tableoid::regclass::text as place from events where id = $1", [event]);
  expect(row.place).toBe(`events_${dayName(0).replaceAll("-", "")}`);
});

test("partitions older than the retention period are dropped, and newer ones are kept", async () => {
  await rows("select make_partition('events', 'id', $1::date), make_partition('events', 'id', $2::date)", [
    dayName(40),
    dayName(20),
  ]);
  const old = await createEvent(40);
  const young = await createEvent(20);
  await retention.round();
  expect([await kept(old), await kept(young)]).toEqual([false, true]);
  expect(await partitions("events")).not.toContain(dayName(40));
});

test("a partition that a pending delivery needs is kept regardless of its age", async () => {
  await rows("select make_partition('events', 'id', $1::date)", [dayName(45)]);
  const event = await createEvent(45);
  await createPendingDelivery(event);
  await retention.round();
  expect(await kept(event)).toBe(true);
  await rows("delete from pending_deliveries");
  await retention.round();
  expect(await kept(event)).toBe(false);
});

test("rows dated outside all partitions by a wrong clock are stored, then removed once they expire", async () => {
  const future = await createEvent(-400);
  const past = await createEvent(400);
  await retention.round();
  expect([await kept(future), await kept(past)]).toEqual([true, false]);
});

test("a round does nothing while another node is running one", async () => {
  const other = await db.connect();
  await other.query("begin");
  await other.query("select pg_advisory_xact_lock(7021801)");
  const old = await createEvent(400);
  await retention.round();
  expect(await kept(old)).toBe(true);
  await other.query("rollback");
  await other.end();
  await retention.round();
  expect(await kept(old)).toBe(false);
});

async function longReader() {
  await rows("select make_partition('events', 'id', $1::date)", [dayName(50)]);
  const reader = await db.connect();
  await reader.query("begin");
  await reader.query("select count(*) from events");
  return reader;
}

const waitsForLock = async () =>
  (
    await rows(
      "select 1 from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())",
    )
  ).length > 0;

test("a round that waits for a long-running reader times out, so that writers queued behind it can continue", async () => {
  const reader = await longReader();
  let ended = false;
  const round = retention.round().finally(() => {
    ended = true;
  });
  const rejected = expect(round).rejects.toThrow(/lock timeout/);
  while (!ended && !(await waitsForLock()));
  const event = await createEvent(0); // this insert is queued behind the round, which is waiting for the reader
  await rejected;
  expect(await kept(event)).toBe(true);
  expect(await partitions("events")).toContain(dayName(50));
  await reader.end();
});

test("if a long-running reader makes the first round fail, startup succeeds, the round is retried, and rounds then run hourly", async () => {
  const reader = await longReader();
  const planned: { ms: number; work: () => void }[] = [];
  const clock = {
    ...systemClock,
    after(ms: number, work: () => void) {
      planned.push({ ms, work });
      return () => {};
    },
  };
  await createRetention({ db, clock, log, watchdog, days: 30 }).start();
  expect(planned).toMatchObject([{ ms: LIMITS.RETENTION_RETRY_MS }]);
  await reader.end();
  await expect
    .poll(
      async () =>
        (
          await rows(
            "select 1 from pg_stat_activity where datname = current_database() and state = 'idle in transaction'",
          )
        ).length,
    )
    .toBe(0);
  planned[0]!.work();
  await expect.poll(() => planned.length).toBe(2);
  expect(planned[1]!.ms).toBe(LIMITS.RETENTION_INTERVAL_MS);
  expect(await partitions("events")).not.toContain(dayName(50));
});

test("a partition selected for dropping is kept if a delivery that needs it is reopened in the meantime", async () => {
  await rows("select make_partition('events', 'id', $1::date)", [dayName(60)]);
  const event = await createEvent(60);
  const day = dayName(60);
  expect(await partitionsBefore(db, await firstDayKept(db, 30))).toContainEqual({ parent: "events", day });
  await createPendingDelivery(event);
  expect(await db.transaction((tx) => dropPartition(tx, { parent: "events", day }, 30))).toBe(false);
  expect(await kept(event)).toBe(true);
});
