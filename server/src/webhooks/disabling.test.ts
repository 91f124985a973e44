import { afterAll, beforeEach, expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { response, testNode } from "../../../test/support/delivery.ts";
import { happen } from "../../../test/support/engine.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { systemClock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import { createLog } from "../kernel/log.ts";
import { longUuid } from "../kernel/short-uuid.ts";
import type { Database } from "../store/db.ts";
import { Disabling } from "./disabling.ts";

const db = await testDatabase();
const manners = new Map<string, { status: number; until?: Promise<void> }>();
const node = await testNode(
  db,
  async ({ webhook }) => {
    const { status, until } = manners.get(webhook) ?? { status: 200 };
    await until;
    return response(status);
  },
  { schedule_s: [3600], onAttempt: (ended) => disabling.note(ended) },
);
const { space, webhooks, deliveries, seen } = node;
/** Every transaction that `disabling` started, whether or not it changed anything. */
const tried: Promise<unknown>[] = [];
const watched: Database = {
  ...db,
  transaction(work) {
    const trying = db.transaction(work);
    tried.push(trying);
    return trying;
  },
};
const disablingOn = (db: Database) =>
  new Disabling({ ...node, db, clock: systemClock, log: createLog("silent", false) });
const disabling = disablingOn(watched);
afterAll(() => node.stop());

const register = async (name: string, events: ("video.created" | "webhook.disabled" | "webhook.failing")[]) =>
  (await webhooks.create(db, space, { url: `https://r.example.com/${name}`, events })).id;
const failsSince = (webhook: string, ago_ms: number) =>
  db.run(
    { name: "test_fails", text: "update webhooks set failing_since = now() - $2 * interval '1 ms' where id = $1" },
    [longUuid(webhook), ago_ms],
  );
const recovers = (webhook: string) =>
  db.run({ name: "test_recovers", text: "update webhooks set failing_since = null where id = $1" }, [
    longUuid(webhook),
  ]);
/** Returns the types of the events about a webhook, oldest first. */
const eventsOf = async (webhook: string) =>
  (
    await db.run<{ type: string }>(
      { name: "test_events", text: "select type from events where payload like '%' || $1 || '%' order by id" },
      [webhook],
    )
  ).map(({ type }) => type);
let videos = 0;
const newVideo = () => `G${String(++videos).padStart(9, "0")}`;
const statusOf = async (webhook: string) => (await webhooks.get(space, webhook)).status;

beforeEach(async () => {
  for (const { id } of (await webhooks.list(space, { limit: 100 })).data) await webhooks.remove(db, space, id);
  seen.length = 0;
  tried.length = 0;
  manners.clear();
});

test("a 410 response disables the webhook and sends webhook.disabled only to the space's other webhooks", async () => {
  const [gone, other, uninterested] = [
    await register("gone", ["video.created", "webhook.disabled"]),
    await register("other", ["webhook.disabled"]),
    await register("uninterested", ["video.created"]),
  ];
  manners.set("gone", { status: 410 });
  await happen(node, newVideo());
  await eventually(() => expect(seen.filter(({ webhook }) => webhook === "other")).toHaveLength(1));
  const [received] = seen.filter(({ webhook }) => webhook === "other");
  const reason = "The receiver responded with 410 Gone to stop deliveries.";
  expect(received!.body).toMatchObject({
    type: "webhook.disabled",
    data: { id: gone, object: "webhook", status: "disabled", status_reason: reason },
  });
  expect(await webhooks.get(space, gone)).toMatchObject({ status: "disabled", status_reason: reason });
  const listed = async (webhook: string) => (await deliveries.list(space, { webhook, limit: 10 })).data;
  await eventually(async () =>
    expect((await listed(gone)).map(({ type, status }) => [type, status])).toEqual([["video.created", "held"]]),
  );
  expect((await listed(uninterested)).map(({ type }) => type)).toEqual(["video.created"]);
  await eventually(async () => expect((await listed(other)).map(({ status }) => status)).toEqual(["succeeded"]));
});

test("a 410 response from a webhook's previous URL does not disable the webhook", async () => {
  const gate = Promise.withResolvers<void>();
  manners.set("old", { status: 410, until: gate.promise });
  const webhook = await register("old", ["video.created"]);
  await happen(node, newVideo());
  await eventually(() => expect(seen).toHaveLength(1));
  await webhooks.update(db, space, webhook, { url: "https://r.example.com/new" });
  gate.resolve();
  await eventually(() => expect(tried).toHaveLength(1));
  await tried[0];
  expect([await statusOf(webhook), await eventsOf(webhook)]).toEqual(["enabled", []]);
});

test("a webhook stays enabled if it recovers just after a check finds it failing", async () => {
  const [still, recovered] = [
    await register("still", ["video.created"]),
    await register("recovered", ["video.created"]),
  ];
  for (const webhook of [still, recovered]) await failsSince(webhook, LIMITS.WEBHOOK_FAILING_MS + 1_000);
  const thenRecovers: Database = {
    ...db,
    async transaction(work) {
      const found = await db.transaction(work);
      await recovers(recovered); // as if another node had saved a success
      return found;
    },
  };
  await disablingOn(thenRecovers).check();
  expect([await statusOf(still), await statusOf(recovered)]).toEqual(["disabled", "enabled"]);
  expect([await eventsOf(still), await eventsOf(recovered)]).toEqual([["webhook.failing", "webhook.disabled"], []]);
});

test("two nodes that check at the same time warn about and disable a webhook only once", async () => {
  const webhook = await register("fails", ["video.created"]);
  await failsSince(webhook, LIMITS.WEBHOOK_FAILING_MS + 1_000);
  const [looking, secondHasLooked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const slow: Database = {
    ...db,
    transaction: (work) =>
      db.transaction(async (tx) => {
        const found = await work(tx);
        looking.resolve();
        await secondHasLooked.promise;
        return found;
      }),
  };
  const first = disablingOn(slow).check();
  await looking.promise;
  await disabling.check();
  expect([await statusOf(webhook), await eventsOf(webhook)]).toEqual(["enabled", []]);
  secondHasLooked.resolve();
  await first;
  expect([await statusOf(webhook), await eventsOf(webhook)]).toEqual([
    "disabled",
    ["webhook.failing", "webhook.disabled"],
  ]);
  await disabling.check();
  expect(await eventsOf(webhook)).toHaveLength(2);
});

test("two nodes that find the same failing webhook disable it only once", async () => {
  const webhook = await register("twice", ["video.created"]);
  await failsSince(webhook, LIMITS.WEBHOOK_FAILING_MS + 1_000);
  /** Resolved as each node finds the webhook. Each node then waits until both have found it. */
  const found = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const together = (index: number): Database => ({
    ...db,
    async transaction(work) {
      if (index === 1) await found[0]!.promise; // by then, the first node has released the turn
      const rows = await db.transaction(work);
      found[index]!.resolve();
      await found[1]!.promise;
      return rows;
    },
  });
  await Promise.all([disablingOn(together(0)).check(), disablingOn(together(1)).check()]);
  expect(await eventsOf(webhook)).toEqual(["webhook.failing", "webhook.disabled"]);
});
