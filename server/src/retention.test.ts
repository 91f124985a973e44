import { afterEach, beforeEach, expect, test } from "vitest";
import { testDatabase } from "../../test/support/database.ts";
import { systemClock } from "./clock.ts";
import { createLog } from "./log.ts";
import { systemRandom } from "./random.ts";
import { createRetention } from "./retention.ts";
import { uuidV7 } from "./uuid.ts";

const DAY_MS = 86_400_000;
const SPACE = "00000000-0000-4000-8000-000000000001";
const db = await testDatabase();
const retention = createRetention({ db, clock: systemClock, log: createLog("silent", false), days: 30 });

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

async function eventOf(age_days: number): Promise<string> {
  const id = uuidV7(Date.now() - age_days * DAY_MS, systemRandom);
  await rows("insert into events (space_id, id, type, sequence, payload) values ($1, $2, 'video.created', 1, '{}')", [
    SPACE,
    id,
  ]);
  return id;
}

async function openDeliveryOf(event: string): Promise<void> {
  await rows(
    `insert into open_deliveries (space_id, webhook_id, video_id, sequence, id, event_id, type, previous, due_at)
     values ($1, gen_random_uuid(), 'k1iFD7h4rW', 1, $2, $2, 'video.created', 0, now())`,
    [SPACE, event],
  );
}

const kept = async (event: string) => (await rows("select id from events where id = $1", [event])).length === 1;

beforeEach(() => retention.round());
afterEach(() => rows("truncate events, open_deliveries"));

test("a round makes today's partitions and a week ahead, for all three tables", async () => {
  for (const parent of ["events", "deliveries", "attempts"]) {
    expect(await partitions(parent)).toEqual(expect.arrayContaining([dayName(0), dayName(-7)]));
  }
});

test("a new event lies in its day's partition, not in the default one", async () => {
  const event = await eventOf(0);
  const [row] = await rows("select tableoid::regclass::text as place from events where id = $1", [event]);
  expect(row.place).toBe(`events_${dayName(0).replaceAll("-", "")}`);
});

test("days past retention are dropped, younger ones stay", async () => {
  await rows("select make_partition('events', 'id', $1::date), make_partition('events', 'id', $2::date)", [
    dayName(40),
    dayName(20),
  ]);
  const old = await eventOf(40);
  const young = await eventOf(20);
  await retention.round();
  expect([await kept(old), await kept(young)]).toEqual([false, true]);
  expect(await partitions("events")).not.toContain(dayName(40));
});

test("a day that an open delivery needs is kept, however old", async () => {
  await rows("select make_partition('events', 'id', $1::date)", [dayName(45)]);
  const event = await eventOf(45);
  await openDeliveryOf(event);
  await retention.round();
  expect(await kept(event)).toBe(true);
  await rows("delete from open_deliveries");
  await retention.round();
  expect(await kept(event)).toBe(false);
});

test("rows that a wrong clock put beyond the partitions are stored, and removed when their time is past", async () => {
  const future = await eventOf(-400);
  const past = await eventOf(400);
  await retention.round();
  expect([await kept(future), await kept(past)]).toEqual([true, false]);
});

test("a round gives up its turn to a node that already has one running", async () => {
  const other = await db.connect();
  await other.query("begin");
  await other.query("select pg_advisory_xact_lock(7021801)");
  const old = await eventOf(400);
  await retention.round();
  expect(await kept(old)).toBe(true);
  await other.query("rollback");
  await other.end();
  await retention.round();
  expect(await kept(old)).toBe(false);
});

test("a round that cannot get its lock fails within the bound and leaves all as it was", async () => {
  await rows("select make_partition('events', 'id', $1::date)", [dayName(50)]);
  const reader = await db.connect();
  await reader.query("begin");
  await reader.query("select count(*) from events");
  await expect(retention.round()).rejects.toThrow(/lock timeout/);
  expect(await partitions("events")).toContain(dayName(50));
  await reader.end();
});
