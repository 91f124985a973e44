import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { response, type TestNode, testNode } from "../../../test/support/delivery.ts";
import { engineParts, happen } from "../../../test/support/engine.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { systemClock } from "../kernel/clock.ts";
import { createLog } from "../kernel/log.ts";
import { longUuid, shortUuid } from "../kernel/short-uuid.ts";
import type { Database, Sql } from "../store/db.ts";
import { createCancellations } from "./cancellations.ts";
import { createDeliveries } from "./deliveries.ts";
import { Sweeper } from "./sweeper.ts";

const db = await testDatabase();
const engine = await engineParts(db);
const { space, webhooks } = engine;
const cancellations = createCancellations(engine);
const deliveries = createDeliveries({ ...engine, retries: 9 });
const query = <Row>(text: string, values: unknown[] = []) => db.run<Row>({ name: "", text }, values);

const TYPES = ["video.created", "video.uploaded", "video.deleted"] as const;
let videos = 0;
const newVideo = () => `C${String(++videos).padStart(9, "0")}`;
const nodes: TestNode[] = [];

async function pausedWebhook(): Promise<string> {
  const { id } = await webhooks.create(db, space, { url: "https://r.example.com/c", events: [...TYPES] });
  await webhooks.update(db, space, id, { status: "paused" });
  return id;
}

const list = async (webhook: string) => (await deliveries.list(space, { webhook, limit: 100 })).data.toReversed();
const statuses = async (webhook: string) =>
  (await list(webhook)).map(({ sequence, status }) => `${sequence} ${status}`);

/** Lists stranded deliveries, which are blocked although no earlier delivery of their video is pending. */
const stranded = () =>
  query(
    `select video_id, sequence from pending_deliveries o where due_at = 'infinity' and not exists (select from pending_deliveries l
      where l.webhook_id = o.webhook_id and l.video_id = o.video_id and l.sequence < o.sequence)`,
  );

afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
  for (const { id } of (await webhooks.list(space, { limit: 100 })).data) await webhooks.remove(db, space, id);
});

describe("a cancellation", () => {
  test("cancels only the matching deliveries, and records who canceled them and why", async () => {
    const webhook = await pausedWebhook();
    const [first, second] = [newVideo(), newVideo()];
    for (const video of [first, second]) for (const type of TYPES) await happen(engine, video, type);
    const done = await cancellations.create(
      space,
      { webhook, video: first, reason: "Skipped on resume." },
      "ada@example.com",
    );
    expect(done).toMatchObject({ object: "cancellation", dry_run: false, total: 3, has_more: false });
    const all = await list(webhook);
    expect(
      new Set(all.filter(({ video }) => video === first).map(({ status, reason }) => `${status}: ${reason}`)),
    ).toEqual(new Set(["canceled: Skipped on resume. (ada@example.com)"]));
    expect(all.filter(({ video }) => video === second).map(({ status }) => status)).toEqual(["held", "held", "held"]);
  });

  test("only counts deliveries in a dry run", async () => {
    const webhook = await pausedWebhook();
    for (let n = 0; n < 3; n++) await happen(engine, newVideo());
    const counted = await cancellations.dryRun(space, { webhook, status: "held" });
    expect(counted).toMatchObject({ dry_run: true, total: 3 });
    expect(counted.first).toBeLessThanOrEqual(counted.last!);
    expect(await cancellations.dryRun(space, { webhook, status: "retrying" })).toMatchObject({ total: 0, first: null });
    expect(await statuses(webhook)).toEqual(["1 held", "1 held", "1 held"]);
  });

  test("releases the next event of each video whose delivery it cancels", async () => {
    const webhook = await pausedWebhook();
    const video = newVideo();
    for (const type of TYPES) await happen(engine, video, type);
    await cancellations.create(space, { webhook, type: "video.created" }, "a test");
    expect(await stranded()).toEqual([]);
    await cancellations.create(space, { webhook, type: "video.deleted" }, "a test");
    const pending = await query(
      "select sequence, due_at < 'infinity' as due from pending_deliveries where video_id = $1",
      [video],
    );
    expect(pending).toEqual([{ sequence: 2, due: true }]);
  });

  test("skips deliveries that are being sent", async () => {
    const gate = Promise.withResolvers<void>();
    const node = await testNode(db, async () => {
      await gate.promise;
      return response(200);
    });
    nodes.push(node);
    const { id } = await node.webhooks.create(node.db, space, { url: "https://r.example.com/c", events: [...TYPES] });
    const video = newVideo();
    for (const type of TYPES) await happen(node, video, type);
    await eventually(() => expect(node.seen).toHaveLength(1));
    expect(await cancellations.create(space, { webhook: id, status: "pending" }, "a test")).toMatchObject({ total: 2 });
    gate.resolve();
    await eventually(async () => expect(await statuses(id)).toEqual(["1 succeeded", "2 canceled", "3 canceled"]));
    expect(node.seen).toHaveLength(1);
  }, 60_000);

  test("keeps the attempt count and the earlier outcome of a delivery that was sent again", async () => {
    const webhook = await pausedWebhook();
    await happen(engine, newVideo());
    await query("update pending_deliveries set attempt = 5 where webhook_id = $1", [longUuid(webhook)]);
    await query(
      `insert into deliveries (space_id, id, webhook_id, event_id, type, video_id, sequence, previous, status, attempts)
       select space_id, id, webhook_id, event_id, type, video_id, sequence, previous, 'succeeded', 2 from pending_deliveries
       where webhook_id = $1`,
      [longUuid(webhook)],
    );
    await cancellations.create(space, { webhook }, "a test");
    expect(await list(webhook)).toMatchObject([{ status: "succeeded", attempts: 5 }]);
  });

  test("cancels exactly the deliveries that match its filter, and strands no others", async () => {
    const step = fc.record({ video: fc.nat(2), cut: fc.constantFrom("type", "video", "since", "until", "status") });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 4 }), fc.nat(2), async (cuts, which) => {
        const webhook = await pausedWebhook();
        const names = [newVideo(), newVideo(), newVideo()];
        for (const type of TYPES) for (const video of names) await happen(engine, video, type);
        for (const { video, cut } of cuts) {
          const before = await list(webhook);
          const created = before[0]!.created;
          const filters = {
            type: { type: TYPES[which]! },
            video: { video: names[video]! },
            since: { since: created + 3_600 },
            until: { until: created },
            status: { status: "retrying" as const },
          };
          const hit = (row: (typeof before)[number]) =>
            row.status === "held" &&
            ((cut === "type" && row.type === TYPES[which]) || (cut === "video" && row.video === names[video]));
          const done = await cancellations.create(space, { webhook, ...filters[cut] }, "a test");
          expect(done.total).toBe(before.filter(hit).length);
          expect((await list(webhook)).map(({ status }) => status)).toEqual(
            before.map((row) => (hit(row) ? "canceled" : row.status)),
          );
          expect(await stranded()).toEqual([]);
        }
        await webhooks.remove(db, space, webhook);
      }),
      { numRuns: 12 },
    );
  }, 60_000);

  test("leaves every event either delivered in order or canceled, even under live traffic", async () => {
    const node = await testNode(db, () => response(200));
    nodes.push(node);
    const { id } = await node.webhooks.create(node.db, space, { url: "https://r.example.com/c", events: [...TYPES] });
    const names = Array.from({ length: 8 }, newVideo);
    const recording = Promise.all(
      names.map(async (video) => {
        for (let round = 0; round < 4; round++) for (const type of TYPES) await happen(node, video, type);
      }),
    );
    const canceling = Array.from({ length: 10 }, () =>
      cancellations.create(space, { webhook: id, status: "pending" }, "a test"),
    );
    await Promise.all([recording, ...canceling]);
    await eventually(async () => expect(await query("select from pending_deliveries")).toEqual([]));
    const [ended] = await query<{ count: number }>("select count(*)::int from deliveries where webhook_id = $1", [
      longUuid(id),
    ]);
    expect(ended!.count).toBe(names.length * 12);
    for (const video of names) {
      const arrived = node.seen.filter(({ body }) => body.data.id === video).map(({ sequence }) => sequence);
      expect(arrived).toEqual(arrived.toSorted((a, b) => a - b));
    }
  }, 60_000);

  test("keeps its finished slices after a crash and cancels the rest when repeated, and the sweeper releases the next events", async () => {
    const webhook = await pausedWebhook();
    const video = newVideo();
    for (const type of TYPES) await happen(engine, video, type);
    const dyingAtRelease = (run: Sql["run"]): Sql["run"] => {
      return (statement, values) =>
        statement.name === "queue_release" ? Promise.reject(new Error("killed")) : run(statement, values);
    };
    const transaction: Database["transaction"] = (work) =>
      db.transaction((tx) => work({ ...tx, last: dyingAtRelease(tx.last) }));
    const dying = createCancellations({ ...engine, db: { ...db, transaction } });
    await expect(dying.create(space, { webhook, type: "video.created" }, "a test")).rejects.toThrow("killed");
    expect(await statuses(webhook)).toEqual(["1 canceled", "2 held", "3 held"]);
    expect(await stranded()).toHaveLength(1);
    const quiet = { clock: systemClock, log: createLog("silent", false), node: () => null, wake: () => {} };
    await new Sweeper({ ...engine, ...quiet, alone: false }).sweep();
    expect(await stranded()).toEqual([]);
    expect(await cancellations.create(space, { webhook, status: "pending" }, "a test")).toMatchObject({ total: 2 });
  });

  test("cancels more deliveries than fit in one slice", async () => {
    const webhook = await pausedWebhook();
    await query(
      `insert into pending_deliveries (space_id, webhook_id, video_id, sequence, id, event_id, type, previous, due_at)
       select $1, $2, 'many' || n, 1, gen_random_uuid(), gen_random_uuid(), 'video.created', 0, now() from generate_series(1, 1201) n`,
      [space, longUuid(webhook)],
    );
    expect(await cancellations.create(space, { webhook }, "a test")).toMatchObject({ total: 1_201, has_more: false });
    expect(await query("select from pending_deliveries where webhook_id = $1", [longUuid(webhook)])).toEqual([]);
  });

  test("rejects another space's webhook and a request without filters", async () => {
    const webhook = await pausedWebhook();
    const other = "00000000-0000-4000-8000-000000000009";
    for (const id of [webhook, shortUuid(other)])
      await expect(cancellations.create(other, { webhook: id }, "a test")).rejects.toMatchObject({
        code: "REQUEST_INVALID",
        errors: [{ path: "/webhook" }],
      });
    await expect(cancellations.create(space, { reason: "All." }, "a test")).rejects.toMatchObject({
      errors: [{ path: "/status" }],
    });
  });
});
