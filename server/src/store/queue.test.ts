import { describe, expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { engineParts, happen } from "../../../test/support/engine.ts";
import { systemClock } from "../clock.ts";
import { createReplays } from "../delivery/replays.ts";
import { longUuid, shortUuid } from "../events/short-uuid.ts";
import { createLog } from "../log.ts";
import { systemRandom } from "../random.ts";
import { cancelSlice } from "./cancelations.ts";
import type { Database, Sql } from "./db.ts";
import { reopenDelivery } from "./deliveries.ts";
import {
  cancelWebhookDeliveries,
  claimDue,
  listDueWebhooks,
  listOrphans,
  type OpenKey,
  putBackUnsent,
  releaseNext,
  releaseStranded,
} from "./open-deliveries.ts";
import { SETTLE, SETTLE_MODE, type Settlement, settleAttempts } from "./settle.ts";

const db = await testDatabase();
const parts = await engineParts(db);
const machine = { clock: systemClock, random: systemRandom, log: createLog("silent", false) };
const LEASE = { node: 1, lease_ms: 30_000 };
let videos = 0;
const newVideo = () => `Q${String(++videos).padStart(9, "0")}`;
const ask = <Row>(text: string, values: unknown[] = []) =>
  db.run<Row>({ name: `queue ${text}`.slice(0, 60), text }, values);

async function register(more = {}): Promise<string> {
  const url = "https://r.example.com/";
  const events = ["video.created", "video.uploaded", "video.deleted"] as const;
  return longUuid((await parts.webhooks.create(parts.space, { url, events: [...events], ...more })).id)!;
}

/** Webhooks of this file's other tests are out of the way. */
async function alone(): Promise<string> {
  await ask("delete from webhooks");
  await ask("delete from open_deliveries");
  return register();
}

const claim = (webhook: string, slots = 10) => claimDue(db, [{ webhook_id: webhook, slots }], LEASE);

function settlement(row: OpenKey & { attempt: number }, more: Partial<Settlement> = {}): Settlement {
  const { space_id, webhook_id, video_id, sequence, attempt } = row;
  const key = { space_id, webhook_id, video_id, sequence, attempt };
  const none = { reason: null, error: null, error_code: null, note: null, answer_headers: null, answer_body: null };
  const made = { started_ms: Date.now(), took_ms: 3, url: "https://r.example.com/", status: 200, answer_bytes: 0 };
  const rest = {
    outcome: "succeeded",
    delay_ms: 0,
    step: 0,
    again: false,
    timings: "{}",
    request_headers: "{}",
  } as const;
  return { ...key, ...none, ...made, ...rest, ...more };
}

describe("a claim", () => {
  test("takes each webhook's free slots, so that a backlog hides nobody", async () => {
    const busy = await alone();
    const quiet = await register();
    await ask("update webhooks set events = '{video.deleted}' where id = $1", [quiet]);
    for (let n = 0; n < 30; n++) await happen(parts, newVideo());
    await happen(parts, newVideo(), "video.deleted");
    const rows = await claimDue(
      db,
      [
        { webhook_id: busy, slots: 5 },
        { webhook_id: quiet, slots: 5 },
      ],
      LEASE,
    );
    expect(rows.filter((row) => row.webhook_id === busy)).toHaveLength(5);
    expect(rows.filter((row) => row.webhook_id === quiet)).toHaveLength(1);
    expect(rows.every((row) => row.attempt === 1 && row.payload!.startsWith('{"id":'))).toBe(true);
  });

  test("never gives the same delivery to two who ask at once", async () => {
    const webhook = await alone();
    for (let n = 0; n < 40; n++) await happen(parts, newVideo());
    const taken = (await Promise.all(Array.from({ length: 8 }, () => claim(webhook, 10)))).flat();
    expect(new Set(taken.map((row) => row.id)).size).toBe(taken.length);
  });

  test("leaves alone what is leased, blocked or later, and a webhook that is not enabled", async () => {
    const webhook = await alone();
    const video = newVideo();
    for (const type of ["video.created", "video.deleted"] as const) await happen(parts, video, type);
    expect(await claim(webhook)).toHaveLength(1);
    expect(await claim(webhook)).toHaveLength(0);
    await ask("update open_deliveries set leased_until = '-infinity'");
    await ask("update webhooks set status = 'paused'");
    expect(await claim(webhook)).toHaveLength(0);
  });
});

describe("a settle", () => {
  test("that lost its lease changes nothing and logs nothing", async () => {
    const webhook = await alone();
    await happen(parts, newVideo());
    const [first] = await claim(webhook);
    await ask("update open_deliveries set leased_until = '-infinity'"); // its lease ends
    const [second] = await claim(webhook);
    const late = await settleAttempts(db, [settlement(first!)], LEASE.lease_ms);
    expect(late).toMatchObject({ settled: [], lost: [{ attempt: 1 }] });
    expect(await ask("select 1 from attempts where delivery_id = $1", [first!.id])).toEqual([]);
    const settled = await settleAttempts(db, [settlement(second!)], LEASE.lease_ms);
    expect(settled.lost).toEqual([]);
    expect(await ask("select attempt, outcome from attempts where delivery_id = $1", [first!.id])).toEqual([
      { attempt: 2, outcome: "succeeded" },
    ]);
  });

  test("that is made twice, its first answer lost, is made once", async () => {
    const webhook = await alone();
    await happen(parts, newVideo());
    const [row] = await claim(webhook);
    const retry = settlement(row!, { outcome: "retry", delay_ms: 60_000, step: 1, status: 500 });
    for (let n = 0; n < 2; n++) await settleAttempts(db, [retry], LEASE.lease_ms);
    expect(await ask("select attempt, outcome from attempts where delivery_id = $1", [row!.id])).toHaveLength(1);
    expect(await ask("select attempt, step from open_deliveries")).toEqual([{ attempt: 1, step: 1 }]);
  });

  test("is counted where its webhook is deleted meanwhile, also of what had ended before and was sent again", async () => {
    const webhook = await alone();
    await happen(parts, newVideo());
    const [row] = await claim(webhook);
    await settleAttempts(db, [settlement(row!)], LEASE.lease_ms);
    await reopenDelivery(db, parts.space, row!.id, 0);
    const [again] = await claim(webhook);
    await settleAttempts(db, [settlement(again!, { outcome: "retry" })], LEASE.lease_ms);
    await cancelWebhookDeliveries(db, parts.space, webhook, "Its webhook was deleted.");
    const history = await ask("select status, attempts from deliveries where id = $1", [row!.id]);
    expect(history).toEqual([{ status: "succeeded", attempts: 2 }]);
  });

  test("finds a row that was marked as followed while it waited for it", async () => {
    const webhook = await alone();
    const video = newVideo();
    await happen(parts, video);
    const [row] = await claim(webhook);
    const { promise, resolve } = Promise.withResolvers<void>();
    const recording = parts.recorder.transaction(async (tx) => {
      await tx.run({ name: "queue_raise", text: "update videos set last_sequence = 2 where id = $1" }, [video]);
      await tx.record({ space: parts.space, type: "video.deleted", video, sequence: 2, data: {} });
      resolve();
      // Ends once the settle waits for the row that this transaction has marked.
      for (let waits = false; !waits; )
        waits =
          (await ask("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"))
            .length > 0;
    });
    await promise;
    const { settled, lost } = await settleAttempts(db, [settlement(row!)], LEASE.lease_ms);
    await recording;
    expect(lost).toEqual([]);
    expect(settled).toMatchObject([{ sequence: 1, followed: true }]);
    const [next] = await releaseNext(
      db,
      [{ space_id: parts.space, webhook_id: webhook, video_id: video, lease: true }],
      LEASE,
    );
    expect(next).toMatchObject({ sequence: 2, attempt: 1 });
  });

  test("lets one event of a video go, also where two that ended together were followed", async () => {
    const webhook = await alone();
    const video = newVideo();
    for (const type of ["video.created", "video.uploaded", "video.deleted"] as const) await happen(parts, video, type);
    const [first] = await claim(webhook);
    await settleAttempts(db, [settlement(first!)], LEASE.lease_ms);
    const freed = { space_id: parts.space, webhook_id: webhook, video_id: video, lease: true };
    expect(await releaseNext(db, [freed, freed], LEASE)).toMatchObject([{ sequence: 2 }]);
  });

  test("waits for the disk where it leases the next attempt, whose number must not be given twice", async () => {
    const seen: string[] = [];
    const mode = { name: "test_commit_mode", text: "select current_setting('synchronous_commit') as mode" };
    const watched: Database = {
      ...db,
      transaction: (work) =>
        db.transaction((tx) =>
          work({
            run: tx.run,
            async last(statement, values) {
              seen.push((await tx.run<{ mode: string }>(mode))[0]!.mode);
              return tx.last(statement, values);
            },
          }),
        ),
    };
    const webhook = await alone();
    await happen(parts, newVideo());
    const [row] = await claim(webhook);
    await settleAttempts(watched, [settlement(row!, { outcome: "retry", again: true })], LEASE.lease_ms);
    await settleAttempts(watched, [settlement({ ...row!, attempt: 2 })], LEASE.lease_ms);
    expect(seen).toEqual(["on", "off"]);
  });

  test("reads the queue by its keys also after a vacuum has seen it empty", async () => {
    await alone();
    await ask("vacuum analyze open_deliveries");
    await happen(parts, newVideo());
    const plan = await db.transaction(async (tx) => {
      await tx.run(SETTLE_MODE, ["off"]);
      const explain = { name: "queue_explain", text: `explain ${SETTLE.text}` };
      return (await tx.run<{ "QUERY PLAN": string }>(explain, ["[]", 0])).map((row) => row["QUERY PLAN"]).join("\n");
    });
    expect(plan).toMatch(/Index Scan using open_deliveries_pkey on open_deliveries r .*\n\s*Index Cond: .*sequence = /);
    expect(plan.match(/Tid Scan on open_deliveries/g)).toHaveLength(2);
    expect(plan).not.toMatch(/Seq Scan on (open_)?deliveries/);
  });
});

/** The plans of the statements that `work` runs, by their names. */
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
    transaction: (inside) => db.transaction((tx) => inside({ run: explained(tx), last: explained(tx, tx.last) })),
  });
  return plans;
}

// A walk through a whole index, each row compared, costs as little as a look-up where the planner believes in an empty table.
const WALK = /Scan using \S+ on (?:open_deliveries|deliveries|events)[^\n]*\n(?!\s*Index Cond)/;
const WALKS = new Set(["open_deliveries_due_webhooks", "open_deliveries_orphans"]); // from webhook to webhook: the first row has no condition

test("nothing reads the queue or the history whole after they were analyzed while they were empty", async () => {
  const webhook = await alone();
  await ask("delete from deliveries");
  for (const table of ["open_deliveries", "deliveries", "events"]) await ask(`vacuum analyze ${table}`);
  const video = newVideo();
  const key = { space_id: parts.space, webhook_id: webhook, video_id: video };
  const plans = await plansOf(async (watched) => {
    const { recorder } = await engineParts(watched);
    await recorder.record({ space: parts.space, type: "video.deleted", video, sequence: 2, data: {} });
    await listDueWebhooks(watched);
    await claimDue(watched, [{ webhook_id: webhook, slots: 10 }], LEASE);
    await releaseNext(watched, [{ ...key, lease: true }], LEASE);
    await releaseStranded(watched, null, 100);
    await putBackUnsent(watched, [{ ...key, sequence: 2, attempt: 1 }]);
    await settleAttempts(watched, [settlement({ ...key, sequence: 2, attempt: 1 })], LEASE.lease_ms);
    const range = { low: "00000000-0000-0000-0000-000000000000", high: "ffffffff-ffff-ffff-ffff-ffffffffffff" };
    const all = { space: parts.space, webhook: null, event: null, video: null, type: null, status: null, ...range };
    await cancelSlice(watched, all, 100, "");
    await listOrphans(watched);
  });
  expect([...plans.keys()]).toEqual(expect.arrayContaining(["events_record", "open_deliveries_claim"]));
  for (const [name, plan] of plans) {
    expect(plan).not.toMatch(/Seq Scan on (open_deliveries|deliveries|events)/);
    if (!WALKS.has(name)) expect(plan, name).not.toMatch(WALK);
  }
  expect(plans.get("events_record")).toMatch(/Index .*Scan .*on deliveries_/);
  expect(plans.get("events_record")).toMatch(/Index Scan .*using open_deliveries_pkey on open_deliveries l/);
  expect(plans.get("events_record")).toMatch(/Tid Scan on open_deliveries o/);
  expect(plans.get("open_deliveries_claim")).toMatch(/Index .*Scan using open_deliveries_due on open_deliveries d/);
});

test("a later event looks for what was due before in the days since its video was created, and in none to come", async () => {
  const webhook = await alone();
  await ask("delete from deliveries"); // no day is made whose rows are in the default partition
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
    await recorder.record(event);
  });
  const plan = plans.get("events_record");
  expect(plan).toContain(`deliveries_${days!.today}`);
  expect(plan).not.toContain(`deliveries_${days!.past}`);
  expect(plan).not.toContain(`deliveries_${days!.future}`);
  await cancelWebhookDeliveries(db, parts.space, webhook, "");
});

test("a step of a replay looks each delivery up by its key, also before the planner knows how many there are", async () => {
  const webhook = await alone();
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
    await replays.create(parts.space, { webhook: shortUuid(webhook), ...range }, null);
    await replays.round();
  });
  for (const name of ["replays_page", "replays_open"]) {
    expect(plans.get(name)).toMatch(/Index .*Scan using deliveries_.*pkey on deliveries_.*\n\s*Index Cond: .*id = /);
    expect(plans.get(name)).not.toMatch(/(Hash|Merge) .*Join/);
  }
});

describe("what a lost process leaves", () => {
  test("is freed by the sweep, and only where nothing earlier is open", async () => {
    const webhook = await alone();
    const [freed, held] = [newVideo(), newVideo()];
    for (const video of [freed, held])
      for (const type of ["video.created", "video.uploaded", "video.deleted"] as const)
        await happen(parts, video, type);
    await ask("delete from open_deliveries where video_id = $1 and sequence = 1", [freed]); // settled, never released
    expect((await releaseStranded(db, null, 100)).freed).toBe(1);
    expect(await ask("select video_id, sequence from open_deliveries where due_at < 'infinity' order by 1")).toEqual(
      [
        { video_id: freed, sequence: 2 },
        { video_id: held, sequence: 1 },
      ].sort((a, b) => (a.video_id < b.video_id ? -1 : 1)),
    );
    expect(await claim(webhook)).toHaveLength(2);
  });

  test("is passed over by the sweeper while somebody is at it, who may wait for another in turn", async () => {
    await alone();
    const [held, free] = [newVideo(), newVideo()];
    for (const video of [held, free])
      for (const type of ["video.created", "video.deleted"] as const) await happen(parts, video, type);
    await ask("delete from open_deliveries where sequence = 1"); // settled, never released
    await db.transaction(async (tx) => {
      const text = "select from open_deliveries where video_id = $1 for update";
      await tx.run({ name: "queue_hold", text }, [held]);
      expect((await releaseStranded(db, null, 100)).freed).toBe(1);
    });
    expect(await ask("select video_id from open_deliveries where due_at < 'infinity'")).toEqual([{ video_id: free }]);
    expect((await releaseStranded(db, null, 100)).freed).toBe(1);
  });

  test("is given back unsent as if it had not been taken, unless another has it", async () => {
    const webhook = await alone();
    await happen(parts, newVideo());
    const [row] = await claim(webhook);
    await putBackUnsent(db, [row!]);
    const [again] = await claim(webhook);
    expect(again!.attempt).toBe(1);
    await ask("update open_deliveries set attempt = 2");
    await putBackUnsent(db, [again!]);
    expect(await ask("select attempt, leased_until > now() as leased from open_deliveries")).toEqual([
      { attempt: 2, leased: true },
    ]);
  });

  test("is given back though a later event marks it meanwhile, and what was given back and taken by another is left to that", async () => {
    const webhook = await alone();
    const [taken, marked] = [newVideo(), newVideo()];
    for (const video of [taken, marked]) await happen(parts, video);
    const rows = await claim(webhook);
    let others = 0;
    const beside: Sql = {
      async run(statement, values) {
        const returned = await db.run<never>(statement, values);
        if (others === 0) others = (await claim(webhook)).length; // before it goes on with what it missed
        return returned;
      },
    };
    const givingBack = await db.transaction(async (tx) => {
      const text = "update open_deliveries set followed = true where video_id = $1";
      await tx.run({ name: "queue_mark", text }, [marked]);
      const putting = putBackUnsent(beside, rows);
      await expect.poll(() => ask(WAITS)).toHaveLength(1);
      return { putting };
    });
    await givingBack.putting;
    expect(others).toBe(1);
    expect(
      await ask("select video_id, attempt, leased_until > now() as leased from open_deliveries order by video_id"),
    ).toEqual([
      { video_id: taken, attempt: 1, leased: true },
      { video_id: marked, attempt: 0, leased: false },
    ]);
  });
});

const WAITS = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
  and query like '%held.place%'`;
