import { expect, test } from "vitest";
import { databaseWithClock } from "../../../test/support/database-clock.ts";
import { systemClock } from "../kernel/clock.ts";
import { createLog } from "../kernel/log.ts";
import { Watchdog } from "../kernel/watchdog.ts";
import type { Sql } from "../store/db.ts";
import { Sweeper } from "./sweeper.ts";

const { db, setAhead } = await databaseWithClock();
const ask = <Row>(text: string, values: unknown[] = []) => db.run<Row>({ name: "", text }, values);

test("the sweeper finds and shortens overlong leases only after the database clock is set back", async () => {
  const ran: string[] = [];
  const run: Sql["run"] = (statement, values) => {
    ran.push(statement.name);
    return db.run(statement, values);
  };
  const sweeper = new Sweeper({
    ...{ db: { ...db, run }, clock: systemClock, log: createLog("silent", false) },
    watchdog: new Watchdog(systemClock),
    ...{ alone: false, node: () => null, wake() {} },
  });
  const sweep = async (hours: number) => {
    await setAhead(hours * 3_600);
    await sweeper.sweep();
    return ran.splice(0).includes("queue_shorten_leases");
  };
  const left = async () => (await ask<{ left_s: number }>(LEFT))[0]!.left_s;

  await ask(WEBHOOK);
  await sweep(5);
  await ask(LEASED, [0]);
  expect(await sweep(6)).toBe(false);
  expect(await left()).toBeLessThan(0);
  await ask(LEASED, [0]);
  expect(await sweep(2)).toBe(true);
  expect(await left()).toBeLessThanOrEqual(30);
  await ask(LEASED, [4]); // as if a statement that had read the old time committed now
  expect(await sweep(2)).toBe(true);
  expect(await left()).toBeLessThanOrEqual(30);
  expect(await sweep(3)).toBe(false);
});

const WEBHOOK = `insert into webhooks (space_id, id, url, events, secret, secret_hint)
  select id, id, 'https://example.com', '{video.created}', '', 'abcd' from spaces`;
const LEASED = `insert into pending_deliveries (space_id, webhook_id, video_id, sequence, id, event_id, type, previous, due_at,
    leased_until)
  select id, id, gen_random_uuid()::text, 1, gen_random_uuid(), gen_random_uuid(), 'video.created', 0, now(),
    now() + make_interval(hours => $1) + interval '30 s' from spaces`;
const LEFT = "select extract(epoch from max(leased_until) - now())::float8 as left_s from pending_deliveries";
