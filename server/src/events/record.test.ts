import { describe, expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { engineParts, happen } from "../../../test/support/engine.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { longUuid } from "../kernel/short-uuid.ts";
import type { LocalDispatcher } from "./record.ts";

const db = await testDatabase();
const parts = await engineParts(db);
const { space, webhooks } = parts;

const query = <Row>(text: string, values: unknown[] = []) =>
  db.run<Row>({ name: `test ${text}`.slice(0, 60), text }, values);
const pendingOf = (webhook: string) =>
  query<{ video_id: string; sequence: number; previous: number; blocked: boolean; attempt: number }>(
    `select video_id, sequence, previous, due_at = 'infinity' as blocked, attempt from pending_deliveries
     where webhook_id = $1 order by video_id, sequence`,
    [longUuid(webhook)],
  );

describe("record", () => {
  test("inserts one delivery for each webhook subscribed to the type, and none for the others", async () => {
    const chosen = await webhooks.create(db, space, { url: "https://a.example.com/", events: ["video.created"] });
    const other = await webhooks.create(db, space, { url: "https://b.example.com/", events: ["video.deleted"] });
    await happen(parts, "AAAAAAAAA1");
    expect(await pendingOf(chosen.id)).toMatchObject([
      { video_id: "AAAAAAAAA1", sequence: 1, previous: 0, blocked: false },
    ]);
    expect(await pendingOf(other.id)).toEqual([]);
  });

  test("encodes the documented fields in the documented order", async () => {
    const id = await happen(parts, "AAAAAAAAA2");
    const [event] = await query<{ payload: string }>("select payload from events where id = $1", [longUuid(id)]);
    expect(event!.payload).toMatch(
      /^\{"id":"\w{22}","object":"event","type":"video\.created","created":\d+,"data":\{"id":"AAAAAAAAA2",/,
    );
  });

  test("makes later events of a video wait for earlier ones", async () => {
    const events = ["video.created", "video.processing", "video.uploaded"] as const;
    const webhook = await webhooks.create(db, space, { url: "https://c.example.com/", events: [...events] });
    for (const type of events) await happen(parts, "AAAAAAAAA3", type);
    expect(await pendingOf(webhook.id)).toMatchObject([
      { sequence: 1, previous: 0, blocked: false },
      { sequence: 2, previous: 1, blocked: true },
      { sequence: 3, previous: 2, blocked: true },
    ]);
  });

  test("ignores events that the webhook does not receive when setting a delivery's previous sequence number", async () => {
    const webhook = await webhooks.create(db, space, {
      url: "https://d.example.com/",
      events: ["video.created", "video.deleted"],
    });
    for (const type of ["video.created", "video.processing", "video.deleted"] as const)
      await happen(parts, "AAAAAAAAA4", type);
    expect(await pendingOf(webhook.id)).toMatchObject([
      { sequence: 1, previous: 0 },
      { sequence: 3, previous: 1 },
    ]);
  });

  test("searches for earlier finished deliveries only back to the day the video was created", async () => {
    const webhook = await webhooks.create(db, space, { url: "https://g.example.com/", events: ["video.deleted"] });
    const record = (sequence: number, since_s: number) =>
      parts.recorder.recordAlone({ space, type: "video.deleted", video: "AAAAAAAAA7", sequence, since_s, data: {} });
    const now_s = Math.floor(Date.now() / 1_000);
    await record(1, now_s);
    await query(
      `with ended as (delete from pending_deliveries where webhook_id = $1 returning *)
       insert into deliveries (space_id, id, webhook_id, event_id, type, video_id, sequence, previous, status, attempts)
       select space_id, id, webhook_id, event_id, type, video_id, sequence, previous, 'succeeded', 1 from ended`,
      [longUuid(webhook.id)],
    );
    await record(2, now_s);
    expect(await pendingOf(webhook.id)).toMatchObject([{ sequence: 2, previous: 1 }]);
    await query("delete from pending_deliveries where webhook_id = $1", [longUuid(webhook.id)]);
    await record(3, now_s + 3 * 86_400);
    expect(await pendingOf(webhook.id)).toMatchObject([{ sequence: 3, previous: 0 }]);
  });

  /** Records a video's second event while another transaction changes the delivery of the first. */
  async function recordBeside(change: string, video: string, through = parts) {
    const events = ["video.created", "video.deleted"] as const;
    const webhook = await webhooks.create(db, space, { url: "https://h.example.com/", events: [...events] });
    await happen(through, video);
    const recorded = await db.transaction(async (tx) => {
      await tx.run({ name: `test ${change}`.slice(0, 60), text: `${change} where webhook_id = $1` }, [
        longUuid(webhook.id),
      ]);
      const recording = happen(through, video, "video.deleted");
      await eventually(async () => expect(await query(WAITS)).toHaveLength(1));
      return { recording };
    });
    await recorded.recording;
    return pendingOf(webhook.id);
  }
  const WAITS = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
    and query like '%into events%'`;

  test("blocks a delivery behind an earlier one whose lease is being changed, without waiting for that change to commit", async () => {
    const video = "AAAAAAAAA8";
    const events = ["video.created", "video.deleted"] as const;
    const webhook = await webhooks.create(db, space, { url: "https://h.example.com/", events: [...events] });
    await happen(parts, video);
    await db.transaction(async (tx) => {
      const text = "update pending_deliveries set attempt = attempt + 1, leased_until = now() + interval '30 s'";
      await tx.run({ name: "test_lease", text });
      await happen(parts, video, "video.deleted");
    });
    expect(await pendingOf(webhook.id)).toMatchObject([
      { sequence: 1, attempt: 1, blocked: false },
      { sequence: 2, previous: 1, blocked: true },
    ]);
  });

  test("makes a delivery due if the video's earlier delivery ends while the new one is being recorded", async () => {
    expect(await recordBeside("delete from pending_deliveries", "AAAAAAAAA9")).toMatchObject([
      { sequence: 2, previous: 1, blocked: false },
    ]);
  });

  test("does not lease a delivery if the video's earlier delivery was just deleted, because the webhook may be deleted too", async () => {
    const dispatcher: LocalDispatcher = {
      lease: () => ({ node: 1, lease_ms: 30_000, leased_ms: 0 }),
      closed: () => [],
      send() {},
    };
    const leasing = await engineParts(db, dispatcher);
    const pending = await recordBeside("delete from pending_deliveries", "AAAAAAAAB1", leasing);
    // The delivery is left for a claim, which checks whether the webhook still exists.
    expect(pending).toMatchObject([{ sequence: 2, attempt: 0, blocked: false }]);
  });

  test("blocks nothing for a webhook without ordering", async () => {
    const webhook = await webhooks.create(db, space, {
      url: "https://e.example.com/",
      events: ["video.created", "video.deleted"],
      ordering: "none",
    });
    for (const type of ["video.created", "video.deleted"] as const) await happen(parts, "AAAAAAAAA5", type);
    expect((await pendingOf(webhook.id)).map((row) => row.blocked)).toEqual([false, false]);
  });

  test("inserts nothing if the change fails", async () => {
    const before = await query<{ n: number }>("select count(*)::int as n from events");
    const failing = parts.db.transaction(async (tx) => {
      await parts.recorder.record(tx, { space, type: "video.created", video: "AAAAAAAAA6", sequence: 1, data: {} });
      throw new Error("the change failed");
    });
    await expect(failing).rejects.toThrow("the change failed");
    expect(await query("select count(*)::int as n from events")).toEqual(before);
  });
});
