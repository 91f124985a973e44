import { describe, expect, test } from "vitest";
import { testDatabase } from "../../../../test/support/database.ts";
import { engineParts, happen } from "../../../../test/support/engine.ts";
import { settlement } from "../../../../test/support/settlement.ts";
import { longUuid } from "../../kernel/short-uuid.ts";
import type { Database, Sql } from "../db.ts";
import { reopenDelivery } from "../history.ts";
import { cancelWebhookDeliveries, claimDue, putBackUnsent, releaseNext, releaseStranded } from "./claim.ts";
import { settleAttempts } from "./settle.ts";

const db = await testDatabase();
const parts = await engineParts(db);
const LEASE = { node: 1, lease_ms: 30_000, leased_ms: 0 };
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
  await ask("delete from pending_deliveries");
  return register();
}

const claim = (webhook: string, slots = 10) => claimDue(db, [{ webhook_id: webhook, slots }], LEASE);

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
    await ask("update pending_deliveries set leased_until = '-infinity'");
    await ask("update webhooks set status = 'paused'");
    expect(await claim(webhook)).toHaveLength(0);
  });
});

describe("a settle", () => {
  test("that lost its lease changes nothing and logs nothing", async () => {
    const webhook = await alone();
    await happen(parts, newVideo());
    const [first] = await claim(webhook);
    await ask("update pending_deliveries set leased_until = '-infinity'"); // its lease ends
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

  test("that is made twice, its first response lost, is made once", async () => {
    const webhook = await alone();
    await happen(parts, newVideo());
    const [row] = await claim(webhook);
    const retry = settlement(row!, { outcome: "retry", delay_ms: 60_000, step: 1, status: 500 });
    for (let n = 0; n < 2; n++) await settleAttempts(db, [retry], LEASE.lease_ms);
    expect(await ask("select attempt, outcome from attempts where delivery_id = $1", [row!.id])).toHaveLength(1);
    expect(await ask("select attempt, step from pending_deliveries")).toEqual([{ attempt: 1, step: 1 }]);
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
});

describe("what a lost process leaves", () => {
  test("is freed by the sweep, and only where nothing earlier is open", async () => {
    const webhook = await alone();
    const [freed, held] = [newVideo(), newVideo()];
    for (const video of [freed, held])
      for (const type of ["video.created", "video.uploaded", "video.deleted"] as const)
        await happen(parts, video, type);
    await ask("delete from pending_deliveries where video_id = $1 and sequence = 1", [freed]); // settled, never released
    expect((await releaseStranded(db, null, 100)).freed).toBe(1);
    expect(await ask("select video_id, sequence from pending_deliveries where due_at < 'infinity' order by 1")).toEqual(
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
    await ask("delete from pending_deliveries where sequence = 1"); // settled, never released
    await db.transaction(async (tx) => {
      const text = "select from pending_deliveries where video_id = $1 for update";
      await tx.run({ name: "queue_hold", text }, [held]);
      expect((await releaseStranded(db, null, 100)).freed).toBe(1);
    });
    expect(await ask("select video_id from pending_deliveries where due_at < 'infinity'")).toEqual([
      { video_id: free },
    ]);
    expect((await releaseStranded(db, null, 100)).freed).toBe(1);
  });

  test("is given back unsent as if it had not been taken, unless another has it", async () => {
    const webhook = await alone();
    await happen(parts, newVideo());
    const [row] = await claim(webhook);
    await putBackUnsent(db, [row!]);
    const [again] = await claim(webhook);
    expect(again!.attempt).toBe(1);
    await ask("update pending_deliveries set attempt = 2");
    await putBackUnsent(db, [again!]);
    expect(await ask("select attempt, leased_until > now() as leased from pending_deliveries")).toEqual([
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
      const text = "update pending_deliveries set followed = true where video_id = $1";
      await tx.run({ name: "queue_mark", text }, [marked]);
      const putting = putBackUnsent(beside, rows);
      await expect.poll(() => ask(WAITS)).toHaveLength(1);
      return { putting };
    });
    await givingBack.putting;
    expect(others).toBe(1);
    expect(
      await ask("select video_id, attempt, leased_until > now() as leased from pending_deliveries order by video_id"),
    ).toEqual([
      { video_id: taken, attempt: 1, leased: true },
      { video_id: marked, attempt: 0, leased: false },
    ]);
  });
});

const WAITS = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
  and query like '%held.place%'`;
