import { describe, expect, onTestFinished, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { response, type TestNode, testNode } from "../../../test/support/delivery.ts";
import { happen } from "../../../test/support/engine.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { systemClock } from "../kernel/clock.ts";
import { createLog } from "../kernel/log.ts";
import { Health } from "../webhooks/health.ts";

const HOUR_S = 3_600;
const db = await testDatabase();
const health = new Health({ db, clock: systemClock, log: createLog("silent", false) });
let names = 0;
let videos = 0;
const newVideo = () => `R${String(++videos).padStart(9, "0")}`;

/** A node with one webhook whose receiver responds as `receiver.respond` says. */
async function scene() {
  const receiver = { respond: (_video: string) => response(200) };
  const name = `recovery${++names}`;
  const node = await begin(receiver);
  const url = `https://r.example.com/${name}`;
  const { id } = await node.webhooks.create(db, node.space, { url, events: ["video.created"], ordering: "none" });
  const list = async () => (await node.deliveries.list(node.space, { webhook: id, limit: 100 })).data.toReversed();
  return {
    ...{ node, id, receiver, list },
    seen: () => node.seen.filter(({ webhook }) => webhook.startsWith(name)),
    webhook: () => node.webhooks.get(node.space, id),
    retry: () => node.webhooks.retry(db, node.space, id),
    statuses: async () => (await list()).map(({ status, attempts }) => `${status} ${attempts}`),
  };
}

async function begin(receiver: { respond(video: string): ReturnType<typeof response> }): Promise<TestNode> {
  const onAttempt = health.note.bind(health);
  const node = await testNode(db, async ({ body }) => receiver.respond(body.data.id), {
    schedule_s: [HOUR_S, 2 * HOUR_S],
    onAttempt,
  });
  onTestFinished(() => node.stop());
  return node;
}

const refuse = (seconds: number) => () => response(429, [["retry-after", String(seconds)]]);

/** Records an event while the receiver asks to be sent nothing for 60,000 s, followed by one that has to wait. */
async function resting() {
  const made = await scene();
  made.receiver.respond = refuse(60_000);
  await happen(made.node, newVideo());
  await eventually(async () => expect(await made.webhook()).toMatchObject({ waits_until: expect.any(Number) }));
  made.receiver.respond = () => response(200);
  await happen(made.node, newVideo());
  await eventually(async () => expect(await made.statuses()).toEqual(["retrying 1", "waiting 0"]));
  return made;
}

describe("a Retry-After", () => {
  test("is shown on the webhook and in the next attempt of its deliveries, and lasts at most a minute", async () => {
    const { id, node, list, webhook, seen } = await resting();
    const now_s = Date.now() / 1_000;
    const { waits_until } = await webhook();
    expect(waits_until! - now_s).toBeGreaterThan(30);
    expect(waits_until! - now_s).toBeLessThanOrEqual(61);
    const [first, second] = await list();
    expect(second!.next_attempt).toBe(waits_until);
    expect(first!.next_attempt! - now_s).toBeGreaterThan(HOUR_S - 60); // the header's value, but at most an hour
    expect(first!.next_attempt! - now_s).toBeLessThan(HOUR_S * 1.25);
    await health.flush();
    expect((await health.get(node.space, id)).drain_seconds).toBeGreaterThan(30);
    expect(seen()).toHaveLength(1);
  });

  test.each<[string, (made: Awaited<ReturnType<typeof scene>>) => Promise<unknown>]>([
    [
      "a new URL",
      ({ node, id }) => node.webhooks.update(db, node.space, id, { url: `https://r.example.com/recovery${names}b` }),
    ],
    ["a new secret", ({ node, id }) => node.webhooks.rotateSecret(db, node.space, id, {})],
    ["sending all retries now", ({ retry }) => retry()],
    ["a successful test", ({ node, id }) => node.sendTest(db, node.space, id, "webhook.test")],
    [
      "a pause and resume",
      async ({ node, id }) => {
        await node.webhooks.update(db, node.space, id, { status: "paused" });
        await node.webhooks.update(db, node.space, id, { status: "enabled" });
      },
    ],
  ])("is ended by %s", async (_, act) => {
    const made = await resting();
    await act(made);
    await eventually(async () => expect((await made.list())[1]).toMatchObject({ status: "succeeded" }));
    expect(await made.webhook()).toMatchObject({ waits_until: null });
  });

  test("is not ended by a new description, or by an attempt that fails", async () => {
    const { node, id, webhook, list, receiver, statuses } = await resting();
    const before = (await webhook()).waits_until;
    await node.webhooks.update(db, node.space, id, { description: "unchanged" });
    receiver.respond = () => response(500);
    await node.deliveries.sendAgain(db, node.space, (await list())[0]!.id);
    await eventually(async () => expect(await statuses()).toEqual(["retrying 2", "waiting 0"]));
    expect((await webhook()).waits_until).toBe(before);
  });

  test("applies to every node", async () => {
    const { node, receiver, seen } = await resting();
    const other = await begin(receiver);
    await happen({ ...other, space: node.space }, newVideo());
    await eventually(async () => expect(other.node.stats()).toMatchObject({ queued: 0, inFlight: 0 }));
    expect([...other.seen, ...seen()].filter(({ attempt }) => attempt > 0)).toHaveLength(1);
  });
});

/** Records this many events that the receiver fails. */
async function failing(events: number) {
  const made = await scene();
  made.receiver.respond = () => response(500);
  for (let n = 0; n < events; n++) await happen(made.node, newVideo());
  await eventually(async () => expect(await made.statuses()).toEqual(Array(events).fill("retrying 1")));
  return made;
}

describe("a receiver that works again after three failures in a row", () => {
  test("gets all of its webhook's retries at once, in the order of their events", async () => {
    const { node, receiver, seen, statuses } = await failing(5);
    receiver.respond = () => response(200);
    await happen(node, newVideo());
    await eventually(async () => expect(await statuses()).toEqual([...Array(5).fill("succeeded 2"), "succeeded 1"]));
    const retried = seen().filter(({ attempt }) => attempt === 2);
    expect(retried.map(({ body }) => body.data.id)).toEqual(retried.map(({ body }) => body.data.id).toSorted());
  });

  test("is noticed even if the failures happened before the node started", async () => {
    const { node, receiver, statuses } = await failing(3);
    await health.flush();
    await node.stop();
    receiver.respond = () => response(200);
    const next = await begin(receiver);
    await happen({ ...next, space: node.space }, newVideo());
    await eventually(async () => expect(await statuses()).toEqual([...Array(3).fill("succeeded 2"), "succeeded 1"]));
  });

  test("does not end up sending a delivery that always fails again and again", async () => {
    const { node, receiver, list, statuses } = await failing(4);
    const bad = new Set((await list()).map(({ video }) => video));
    receiver.respond = (video) => response(bad.has(video) ? 500 : 200);
    for (let n = 0; n < 3; n++) {
      await happen(node, newVideo());
      await eventually(async () => expect((await statuses()).slice(4)).toEqual(Array(n + 1).fill("succeeded 1")));
      await eventually(async () => expect((await statuses()).slice(0, 4)).toEqual(Array(4).fill("retrying 2")));
    }
  });

  test("returns early retries to their schedule if it fails again, without using a step", async () => {
    const { receiver, list, retry, statuses } = await failing(2);
    const before = await list();
    for (const attempts of [2, 3, 4]) {
      expect(await retry()).toMatchObject({ count: 2, has_more: false });
      await eventually(async () => expect(await statuses()).toEqual(Array(2).fill(`retrying ${attempts}`)));
    }
    for (const [index, { next_attempt }] of (await list()).entries())
      expect(Math.abs(next_attempt! - before[index]!.next_attempt!)).toBeLessThanOrEqual(1);
    receiver.respond = () => response(200);
    await retry();
    await eventually(async () => expect(await statuses()).toEqual(Array(2).fill("succeeded 5")));
  });

  test("gets nothing early after fewer failures", async () => {
    const { node, receiver, statuses } = await failing(2);
    receiver.respond = () => response(200);
    await happen(node, newVideo());
    await eventually(async () => expect(await statuses()).toEqual(["retrying 1", "retrying 1", "succeeded 1"]));
  });
});

describe("sending all retries now", () => {
  test("counts each delivery once while it is due, and does not touch other webhooks", async () => {
    const other = await failing(2);
    const one = await failing(3);
    one.receiver.respond = () => response(200);
    expect(await one.retry()).toEqual({ object: "retries", webhook: one.id, count: 3, has_more: false });
    expect(await one.retry()).toMatchObject({ count: 0 });
    await eventually(async () => expect(await one.statuses()).toEqual(Array(3).fill("succeeded 2")));
    expect(await other.statuses()).toEqual(Array(5).fill("retrying 1"));
  });

  test("fails for a paused webhook, whose resume sends them instead", async () => {
    const { node, id, receiver, retry, statuses } = await failing(3);
    await node.webhooks.update(db, node.space, id, { status: "paused" });
    await expect(retry()).rejects.toMatchObject({ code: "CONFLICT" });
    receiver.respond = () => response(200);
    await node.webhooks.update(db, node.space, id, { status: "enabled" });
    await eventually(async () => expect(await statuses()).toEqual(Array(3).fill("succeeded 2")));
  });
});
