import { describe, expect, test } from "vitest";
import { testDatabase } from "../../../../test/support/database.ts";
import { engineParts, happen } from "../../../../test/support/engine.ts";
import { settlement } from "../../../../test/support/settlement.ts";
import { longUuid } from "../../kernel/short-uuid.ts";
import { UUID_MAX, UUID_MIN } from "../../kernel/uuid.ts";
import type { Database } from "../db.ts";
import { cancelSlice, cancelWebhookDeliveries } from "./cancel.ts";
import { claimDue } from "./claim.ts";
import type { LeaseKey } from "./key.ts";
import { expireNodeLeases, returnLeases } from "./leases.ts";
import { releaseNext, releaseStranded } from "./release.ts";
import { reopenDeliveries } from "./reopen.ts";
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
  return longUuid((await parts.webhooks.create(parts.db, parts.space, { url, events: [...events], ...more })).id)!;
}

/** Deletes the other tests' webhooks and deliveries, then creates a webhook. */
async function alone(): Promise<string> {
  await ask("delete from webhooks");
  await ask("delete from pending_deliveries");
  return register();
}

const claim = (webhook: string, slots = 10) => claimDue(db, [{ webhook_id: webhook, slots }], LEASE);
const settle = (row: LeaseKey, more = {}) => settleAttempts(db, [settlement(row, more)], LEASE.lease_ms);
const reopen = (row: LeaseKey & { event_id: string }) =>
  reopenDeliveries(db, { ...row, events: [row.event_id], step: 0, replay: null });

/** Runs `work` once a transaction in this database is waiting for a lock. */
async function onceOneWaits<Result>(work: () => Promise<Result>): Promise<Result> {
  const waits = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
  await expect.poll(() => ask(waits), { timeout: 10_000 }).toHaveLength(1);
  return work();
}

describe("a claim", () => {
  test("leases up to the requested number of deliveries per webhook, so that one webhook's backlog does not hide another's", async () => {
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

  test("never leases a delivery to two nodes", async () => {
    const webhook = await alone();
    for (let n = 0; n < 40; n++) await happen(parts, newVideo());
    const taken = (await Promise.all(Array.from({ length: 8 }, () => claim(webhook, 10)))).flat();
    expect(new Set(taken.map((row) => row.id)).size).toBe(taken.length);
  });

  test("skips leased and blocked deliveries, and webhooks that are not enabled", async () => {
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
  test("changes nothing and logs nothing if its lease was lost", async () => {
    const webhook = await alone();
    await happen(parts, newVideo());
    const [first] = await claim(webhook);
    await ask("update pending_deliveries set leased_until = '-infinity'"); // expire its lease
    const [second] = await claim(webhook);
    const late = await settleAttempts(db, [settlement(first!)], LEASE.lease_ms);
    expect(late).toMatchObject([{ attempt: 1 }]);
    expect(await ask("select 1 from attempts where delivery_id = $1", [first!.id])).toEqual([]);
    expect(await settleAttempts(db, [settlement(second!)], LEASE.lease_ms)).toEqual([]);
    expect(await ask("select attempt, outcome from attempts where delivery_id = $1", [first!.id])).toEqual([
      { attempt: 2, outcome: "succeeded" },
    ]);
  });

  test("takes effect only once if it is repeated because the database's response was lost", async () => {
    const webhook = await alone();
    await happen(parts, newVideo());
    const [row] = await claim(webhook);
    const retry = settlement(row!, { outcome: "retry", delay_ms: 60_000, step: 1, status: 500 });
    for (let n = 0; n < 2; n++) await settleAttempts(db, [retry], LEASE.lease_ms);
    expect(await ask("select attempt, outcome from attempts where delivery_id = $1", [row!.id])).toHaveLength(1);
    expect(await ask("select attempt, step from pending_deliveries")).toEqual([{ attempt: 1, step: 1 }]);
  });

  test("still counts after its webhook is deleted, even for a finished delivery that was sent again", async () => {
    const webhook = await alone();
    await happen(parts, newVideo());
    const [row] = await claim(webhook);
    await settleAttempts(db, [settlement(row!)], LEASE.lease_ms);
    await reopen(row!);
    const [again] = await claim(webhook);
    await settleAttempts(db, [settlement(again!, { outcome: "retry" })], LEASE.lease_ms);
    await cancelWebhookDeliveries(db, parts.space, webhook, "Its webhook was deleted.");
    const history = await ask("select status, attempts from deliveries where id = $1", [row!.id]);
    expect(history).toEqual([{ status: "succeeded", attempts: 2 }]);
  });

  test("changes nothing if it is repeated after its delivery has been sent again", async () => {
    const webhook = await alone();
    await happen(parts, newVideo());
    const [row] = await claim(webhook);
    await settle(row!);
    await reopen(row!);
    expect(await settle(row!)).toHaveLength(1);
    expect(await ask("select attempt from pending_deliveries")).toEqual([{ attempt: 1 }]);
  });

  test("still counts after its node has been presumed dead, unless the delivery has been leased again", async () => {
    const webhook = await alone();
    for (let n = 0; n < 2; n++) await happen(parts, newVideo());
    const [first, second] = await claim(webhook);
    expect(await expireNodeLeases(db, LEASE.node)).toBe(2);
    expect(await settle(first!)).toEqual([]);
    expect(await claim(webhook)).toMatchObject([{ id: second!.id, attempt: 2 }]);
    expect(await settle(second!)).toHaveLength(1);
  });

  test("waits for the disk only if it leases the next attempt, whose number must not be used twice", async () => {
    const seen: string[] = [];
    const mode = { name: "test_commit_mode", text: "select current_setting('synchronous_commit') as mode" };
    const watched: Database = {
      ...db,
      transaction: (work) =>
        db.transaction((tx) =>
          work({
            ...tx,
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
    await settleAttempts(watched, [settlement(row!, { outcome: "retry", immediate: true })], LEASE.lease_ms);
    await settleAttempts(watched, [settlement({ ...row!, attempt: 2 })], LEASE.lease_ms);
    expect(seen).toEqual(["on", "off"]);
  });
});

describe("a delivery left behind by its process", () => {
  test("is released by the sweeper only if no earlier event is pending", async () => {
    const webhook = await alone();
    const [freed, held] = [newVideo(), newVideo()];
    for (const video of [freed, held])
      for (const type of ["video.created", "video.uploaded", "video.deleted"] as const)
        await happen(parts, video, type);
    await ask("delete from pending_deliveries where video_id = $1 and sequence = 1", [freed]); // never released
    expect((await releaseStranded(db, null, 100)).released).toBe(1);
    expect(await ask("select video_id, sequence from pending_deliveries where due_at < 'infinity' order by 1")).toEqual(
      [
        { video_id: freed, sequence: 2 },
        { video_id: held, sequence: 1 },
      ].sort((a, b) => (a.video_id < b.video_id ? -1 : 1)),
    );
    expect(await claim(webhook)).toHaveLength(2);
  });

  test("is skipped by the sweeper while another transaction has it locked", async () => {
    await alone();
    const [held, free] = [newVideo(), newVideo()];
    for (const video of [held, free])
      for (const type of ["video.created", "video.deleted"] as const) await happen(parts, video, type);
    await ask("delete from pending_deliveries where sequence = 1"); // settled, never released
    await db.transaction(async (tx) => {
      const text = "select from pending_deliveries where video_id = $1 for update";
      await tx.run({ name: "queue_hold", text }, [held]);
      expect((await releaseStranded(db, null, 100)).released).toBe(1);
    });
    expect(await ask("select video_id from pending_deliveries where due_at < 'infinity'")).toEqual([
      { video_id: free },
    ]);
    expect((await releaseStranded(db, null, 100)).released).toBe(1);
  });

  test("is returned as if it had never been leased, unless it has been leased again", async () => {
    const webhook = await alone();
    await happen(parts, newVideo());
    const [row] = await claim(webhook);
    await returnLeases(db, [row!]);
    const [again] = await claim(webhook);
    expect(again!.attempt).toBe(1);
    await ask("update pending_deliveries set attempt = 2");
    await returnLeases(db, [again!]);
    expect(await ask("select attempt, leased_until > now() as leased from pending_deliveries")).toEqual([
      { attempt: 2, leased: true },
    ]);
  });

  test("is returned without waiting while a later event of its video is being recorded", async () => {
    const webhook = await alone();
    const video = newVideo();
    await happen(parts, video);
    const [row] = await claim(webhook);
    await parts.db.transaction(async (tx) => {
      await parts.recorder.record(tx, { space: parts.space, type: "video.deleted", video, sequence: 2, data: {} });
      await returnLeases(db, [row!]);
    });
    expect(
      await ask("select sequence, attempt, leased_until > now() as leased from pending_deliveries order by 1"),
    ).toEqual([
      { sequence: 1, attempt: 0, leased: false },
      { sequence: 2, attempt: 0, leased: false },
    ]);
    expect(await claim(webhook)).toMatchObject([{ sequence: 1, attempt: 1 }]);
  });
});

describe("a blocked delivery", () => {
  const types = ["video.created", "video.uploaded", "video.deleted"] as const;
  const range = { low: UUID_MIN, high: UUID_MAX };
  const filter = (more = {}) => ({
    ...{ space: parts.space, webhook: null, event: null, video: null, type: null, status: null, ...range },
    ...more,
  });
  const keyOfVideo = (webhook: string, video: string) => ({
    space_id: parts.space,
    webhook_id: webhook,
    video_id: video,
  });
  /** Records one video's deliveries: the first is leased, the others are blocked. */
  async function chain() {
    const webhook = await alone();
    const video = newVideo();
    for (const type of types) await happen(parts, video, type);
    const [first] = await claim(webhook);
    const release = () => releaseNext(db, [keyOfVideo(webhook, video)], LEASE);
    return { webhook, video, first: first!, release };
  }

  test("is released even if settling the earlier delivery had to wait for the transaction that recorded it", async () => {
    const webhook = await alone();
    const video = newVideo();
    await happen(parts, video);
    const [row] = await claim(webhook);
    let settling: Promise<unknown> = Promise.resolve();
    await parts.db.transaction(async (tx) => {
      await parts.recorder.record(tx, { space: parts.space, type: "video.deleted", video, sequence: 2, data: {} });
      settling = settle(row!);
      await onceOneWaits(async () => {});
    });
    expect(await settling).toEqual([]);
    const { leased } = await releaseNext(db, [keyOfVideo(webhook, video)], LEASE);
    expect(leased).toMatchObject([{ sequence: 2, attempt: 1 }]);
  });

  test("is not released while an earlier delivery is being sent or retried", async () => {
    const { first, release } = await chain();
    expect(await release()).toEqual({ leased: [], due: [] });
    await settle(first, { outcome: "retry", delay_ms: 60_000, step: 1 });
    expect(await release()).toEqual({ leased: [], due: [] });
  });

  test("is released alone and only once, even by duplicate and concurrent calls", async () => {
    const { webhook, video, first } = await chain();
    await settle(first);
    const twice = [keyOfVideo(webhook, video), keyOfVideo(webhook, video)];
    const released = await Promise.all([releaseNext(db, twice, LEASE), releaseNext(db, twice, LEASE)]);
    expect(released.flatMap(({ leased }) => leased)).toMatchObject([{ sequence: 2 }]);
  });

  test("is released without a lease, to be claimed later, if the node takes no leases or the webhook has no room", async () => {
    const { webhook, video, first } = await chain();
    await settle(first);
    expect(await releaseNext(db, [keyOfVideo(webhook, video)], LEASE, [webhook])).toEqual({
      leased: [],
      due: [webhook],
    });
    const [second] = await claim(webhook);
    await settle(second!);
    expect(await releaseNext(db, [keyOfVideo(webhook, video)], null)).toEqual({ leased: [], due: [webhook] });
    expect(await claim(webhook)).toMatchObject([{ sequence: 3, attempt: 1 }]);
  });

  test("is released when the delivery before it is canceled, even if an earlier release skipped it", async () => {
    const { first, release } = await chain();
    let releasing: ReturnType<typeof release> | undefined;
    await db.transaction(async (tx) => {
      expect(await cancelSlice(tx, filter({ type: "video.uploaded" }), 10, "a test")).toHaveLength(1);
      await settle(first);
      releasing = release(); // its snapshot still contains the row that is being canceled
      await onceOneWaits(async () => {});
    });
    expect(await releasing).toEqual({ leased: [], due: [] });
    expect((await release()).leased).toMatchObject([{ sequence: 3 }]);
  });

  test("waits only for deliveries that remain pending, not for those that are canceled while it is being recorded", async () => {
    const { webhook, video } = await chain();
    let recording: Promise<unknown> = Promise.resolve();
    await db.transaction(async (tx) => {
      await cancelSlice(tx, filter(), 10, "a test");
      recording = happen(parts, video, "video.deleted");
      await onceOneWaits(async () => {});
    });
    await recording;
    // The new delivery waits for the first one, which was being sent and therefore was not canceled.
    expect(await ask("select sequence, due_at = 'infinity' as blocked from pending_deliveries order by 1")).toEqual([
      { sequence: 1, blocked: false },
      { sequence: 4, blocked: true },
    ]);
    expect(await claim(webhook)).toEqual([]);
  });
});
