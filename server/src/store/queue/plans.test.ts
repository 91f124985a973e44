import { expect, test } from "vitest";
import { testDatabase } from "../../../../test/support/database.ts";
import { engineParts, happen } from "../../../../test/support/engine.ts";
import { settlement } from "../../../../test/support/settlement.ts";
import { createReplays } from "../../delivery/replays.ts";
import { systemClock } from "../../kernel/clock.ts";
import { createLog } from "../../kernel/log.ts";
import { systemRandom } from "../../kernel/random.ts";
import { longUuid, shortUuid } from "../../kernel/short-uuid.ts";
import { UUID_MAX, UUID_MIN } from "../../kernel/uuid.ts";
import type { Database, Sql } from "../db.ts";
import { cancelSlice, listOrphans } from "./cancel.ts";
import { claimDue, listDueWebhooks } from "./claim.ts";
import { returnLeases } from "./leases.ts";
import { releaseNext, releaseStranded } from "./release.ts";
import { SETTLE, SETTLE_MODE, settleAttempts } from "./settle.ts";

const db = await testDatabase();
const parts = await engineParts(db);
const machine = { clock: systemClock, random: systemRandom, log: createLog("silent", false) };
const LEASE = { node: 1, lease_ms: 30_000, leased_ms: 0 };
let videos = 0;
const newVideo = () => `P${String(++videos).padStart(9, "0")}`;
const ask = <Row>(text: string, values: unknown[] = []) =>
  db.run<Row>({ name: `plans ${text}`.slice(0, 60), text }, values);

async function register(): Promise<string> {
  const events = ["video.created", "video.deleted"] as const;
  return longUuid(
    (await parts.webhooks.create(parts.db, parts.space, { url: "https://r.example.com/", events: [...events] })).id,
  )!;
}

/** Returns the plans of the statements that `work` runs, by statement name. */
async function plansOf(work: (db: Database) => Promise<unknown>): Promise<Map<string, string>> {
  const plans = new Map<string, string>();
  const explained = (sql: Sql, run = sql.run): Sql["run"] => {
    return async (statement, values) => {
      const explain = { name: `${statement.name}_explain`, text: `explain ${statement.text}` };
      const rows = await sql.run<{ "QUERY PLAN": string }>(explain, values);
      plans.set(statement.name, rows.map((row) => row["QUERY PLAN"]).join("\n"));
      return run(statement, values);
    };
  };
  await work({
    ...db,
    run: explained(db),
    transaction: (inside) =>
      db.transaction((tx) => inside({ ...tx, run: explained(tx), last: explained(tx, tx.last) })),
  });
  return plans;
}

// Matches a scan of a whole index, which looks as cheap as a lookup if the planner believes that the table is empty.
const WALK = /Scan using \S+ on (?:pending_deliveries|deliveries|events)[^\n]*\n(?!\s*Index Cond)/;
// These statements skip from webhook to webhook, and read the first row without an index condition.
const WALKS = new Set(["queue_due_webhooks", "queue_orphans"]);

test("a settle looks up queue rows by key, even if the last vacuum found the queue empty", async () => {
  await register();
  await ask("vacuum analyze pending_deliveries");
  await happen(parts, newVideo());
  const plan = await db.transaction(async (tx) => {
    await tx.run(SETTLE_MODE, ["off"]);
    const explain = { name: "queue_explain", text: `explain ${SETTLE.text}` };
    return (await tx.run<{ "QUERY PLAN": string }>(explain, ["", 0])).map((row) => row["QUERY PLAN"]).join("\n");
  });
  expect(plan).toMatch(
    /Index Scan using pending_deliveries_pkey on pending_deliveries r .*\n\s*Index Cond: .*sequence = /,
  );
  expect(plan.match(/Tid Scan on pending_deliveries/g)).toHaveLength(2);
  expect(plan).not.toMatch(/Seq Scan on (open_)?deliveries/);
});

test("no statement scans the whole queue or history, even if both were empty when last analyzed", async () => {
  const webhook = await register();
  await ask("delete from deliveries");
  for (const table of ["pending_deliveries", "deliveries", "events"]) await ask(`vacuum analyze ${table}`);
  const video = newVideo();
  const key = { space_id: parts.space, webhook_id: webhook, video_id: video };
  const plans = await plansOf(async (watched) => {
    const { recorder } = await engineParts(watched);
    await recorder.recordAlone({ space: parts.space, type: "video.deleted", video, sequence: 2, data: {} });
    await listDueWebhooks(watched);
    await claimDue(watched, [{ webhook_id: webhook, slots: 10 }], LEASE);
    await releaseNext(watched, [key], LEASE);
    await releaseStranded(watched, null, 100);
    await returnLeases(watched, [{ ...key, sequence: 2, attempt: 1 }]);
    await settleAttempts(watched, [settlement({ ...key, sequence: 2, attempt: 1 })], LEASE.lease_ms);
    const range = { low: UUID_MIN, high: UUID_MAX };
    const all = { space: parts.space, webhook: null, event: null, video: null, type: null, status: null, ...range };
    await cancelSlice(watched, all, 100, "");
    await listOrphans(watched);
  });
  expect([...plans.keys()]).toEqual(expect.arrayContaining(["queue_record", "queue_claim"]));
  for (const [name, plan] of plans) {
    expect(plan).not.toMatch(/Seq Scan on (pending_deliveries|deliveries|events)/);
    if (!WALKS.has(name)) expect(plan, name).not.toMatch(WALK);
  }
  expect(plans.get("queue_record")).toMatch(/Index .*Scan .*on deliveries_/);
  expect(plans.get("queue_record")).toMatch(/Index Scan .*using pending_deliveries_pkey on pending_deliveries l/);
  expect(plans.get("queue_release")).toMatch(/Scan using pending_deliveries_waiting on pending_deliveries h/);
  expect(plans.get("queue_claim")).toMatch(/Index .*Scan using pending_deliveries_due on pending_deliveries d/);
});

test("recording a video's later event searches finished deliveries only from the day the video was created through today", async () => {
  await register();
  await ask("delete from deliveries"); // a partition cannot be created for a day that has rows in the default partition
  for (const day of [-3, 0, 3])
    await ask("select make_partition('deliveries', 'id', (now() at time zone 'UTC')::date + $1::integer)", [day]);
  const [days] = await ask<{ past: string; today: string; future: string }>(
    `select to_char(day - 3, 'YYYYMMDD') as past, to_char(day, 'YYYYMMDD') as today, to_char(day + 3, 'YYYYMMDD') as future
     from (select (now() at time zone 'UTC')::date as day) as one`,
  );
  const plans = await plansOf(async (watched) => {
    const { recorder } = await engineParts(watched);
    const since_s = Math.floor(Date.now() / 1_000);
    const event = {
      space: parts.space,
      type: "video.deleted" as const,
      video: newVideo(),
      sequence: 2,
      since_s,
      data: {},
    };
    await recorder.recordAlone(event);
  });
  const plan = plans.get("queue_record");
  expect(plan).toContain(`deliveries_${days!.today}`);
  expect(plan).not.toContain(`deliveries_${days!.past}`);
  expect(plan).not.toContain(`deliveries_${days!.future}`);
});

test("a replay step looks up each delivery by key, even before the planner has statistics", async () => {
  const webhook = await register();
  const today = "(left(id_floor(now())::text, 14) || right(gen_random_uuid()::text, 22))::uuid";
  for (const table of ["events", "deliveries"])
    await ask("select make_partition($1, 'id', (now() at time zone 'UTC')::date)", [table]);
  await ask(
    `insert into events (space_id, id, type, video_id, sequence, payload)
     select $1, ${today}, 'video.created', 'R' || n, 1, '{}' from generate_series(1, 20000) n`,
    [parts.space],
  );
  await ask(
    `insert into deliveries (space_id, id, webhook_id, event_id, type, video_id, sequence, previous, status, attempts)
     select $1, ${today}, $2, gen_random_uuid(), 'video.created', 'R', 1, 0, 'succeeded', 1 from generate_series(1, 20000)`,
    [parts.space, webhook],
  );
  const plans = await plansOf(async (watched) => {
    const replays = createReplays({ ...parts, ...machine, db: watched });
    const range = { since: 0, until: Math.ceil(Date.now() / 1000) + 60 };
    await replays.create(db, parts.space, { webhook: shortUuid(webhook), ...range }, null);
    await replays.round();
  });
  for (const name of ["replays_page", "queue_reopen"]) {
    expect(plans.get(name)).toMatch(/Index .*Scan using deliveries_.*pkey on deliveries_.*\n\s*Index Cond: .*id = /);
    expect(plans.get(name)).not.toMatch(/(Hash|Merge) .*Join/);
  }
});
