import { afterAll, describe, expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { response, testNode } from "../../../test/support/delivery.ts";
import { happen } from "../../../test/support/engine.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { systemClock } from "../kernel/clock.ts";
import { createLog } from "../kernel/log.ts";
import type { DeliveryStatus } from "../store/history.ts";
import { Disabling } from "../webhooks/disabling.ts";
import type { DeliveryView } from "./delivery-view.ts";

const db = await testDatabase();
/** How each receiver behaves, by webhook name: the status it responds with, and the promise it awaits first. */
const manners = new Map<string, { status?: number; until?: Promise<void> }>();
const node = await testNode(
  db,
  async ({ webhook }) => {
    const { status = 200, until } = manners.get(webhook) ?? {};
    await until;
    return response(status);
  },
  { schedule_s: [3600], onAttempt: (ended) => disabling.note(ended) },
);
const { space, webhooks, deliveries, seen } = node;
afterAll(() => node.stop());
const disabling = new Disabling({ ...node, clock: systemClock, log: createLog("silent", false) });
/** Disables the webhook by responding to one more event with a 410. That event's delivery is then held. */
async function disable(name: string, webhook: string): Promise<void> {
  manners.set(name, { status: 410 });
  await happen(node, newVideo());
  await eventually(async () => expect(await webhooks.get(space, webhook)).toMatchObject({ status: "disabled" }));
  manners.delete(name);
}

const register = async (name: string): Promise<string> =>
  (
    await webhooks.create(db, space, {
      url: `https://r.example.com/${name}`,
      events: ["video.created", "video.deleted"],
    })
  ).id;

/**
 * Records an event for a new or an existing video. @returns the event's delivery to this webhook, once it has this
 * status
 */
async function delivered(webhook: string, status: DeliveryStatus, video?: string): Promise<DeliveryView> {
  const event = await happen(node, video ?? newVideo(), video === undefined ? "video.created" : "video.deleted");
  return reached(webhook, event, status);
}
let videos = 0;
const newVideo = () => `S${String(++videos).padStart(9, "0")}`;

const reached = (webhook: string, event: string, status: DeliveryStatus): Promise<DeliveryView> =>
  eventually(async () => {
    const [delivery] = (await deliveries.list(space, { webhook, event, limit: 1 })).data;
    expect(delivery).toMatchObject({ status });
    return delivery!;
  });

const stopped = {
  paused: (webhook: string) => webhooks.update(db, space, webhook, { status: "paused" }),
  disabled: (webhook: string) => disable("disabled", webhook),
};
const again = ({ id }: { id: string }) => deliveries.sendAgain(db, space, id);
const sentTo = (name: string) => seen.filter(({ webhook }) => webhook === name);

describe("sending a delivery again", () => {
  test("fails while the delivery is being sent", async () => {
    const gate = Promise.withResolvers<void>();
    manners.set("hangs", { until: gate.promise });
    const webhook = await register("hangs");
    const sending = await delivered(webhook, "sending");
    await expect(again(sending)).rejects.toMatchObject({ code: "DELIVERY_BUSY", status: 409 });
    gate.resolve();
    await reached(webhook, sending.event, "succeeded");
    expect(sentTo("hangs")).toHaveLength(1);
  });

  test("fails while the delivery waits for an earlier event of its video, but that event can be sent again", async () => {
    manners.set("fails", { status: 500 });
    const webhook = await register("fails");
    const first = await delivered(webhook, "retrying");
    const second = await delivered(webhook, "waiting", first.video!);
    expect(second.waits_for).toBe(first.id);
    await expect(again(second)).rejects.toMatchObject({ code: "DELIVERY_WAITING", status: 409 });
    manners.set("fails", {});
    await again(first);
    await reached(webhook, second.event, "succeeded");
    expect(sentTo("fails").map(({ sequence, attempt }) => [sequence, attempt])).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
    ]);
  });

  test.each(["paused", "disabled"] as const)(
    "fails while the webhook is %s, whether the delivery is pending or finished",
    async (status) => {
      const webhook = await register(status);
      const finished = await delivered(webhook, "succeeded");
      await stopped[status](webhook);
      const held = await delivered(webhook, "held");
      const blocked = await delivered(webhook, "held", held.video!);
      for (const delivery of [finished, held, blocked])
        await expect(again(delivery)).rejects.toMatchObject({
          code: "CONFLICT",
          status: 409,
          message: `This delivery's webhook is ${status}. Resume it to send the delivery.`,
        });
      expect(await deliveries.get(space, finished.id)).toMatchObject({ status: "succeeded", attempts: 1 });
      await webhooks.update(db, space, webhook, { status: "enabled" });
      await reached(webhook, blocked.event, "succeeded");
      expect(await again(finished)).toMatchObject({ status: "retrying", attempts: 1, max_attempts: 2 });
      await eventually(async () => expect(await deliveries.get(space, finished.id)).toMatchObject({ attempts: 2 }));
    },
  );

  test("sends the event of a succeeded delivery once more, with the same id", async () => {
    const webhook = await register("twice");
    const delivery = await delivered(webhook, "succeeded");
    await again(delivery);
    await eventually(async () =>
      expect(await deliveries.get(space, delivery.id)).toMatchObject({ status: "succeeded", attempts: 2 }),
    );
    const [first, second] = sentTo("twice");
    expect(second!.body).toEqual(first!.body);
    expect([first!.headers["webhook-id"], first!.attempt]).toEqual([delivery.event, 1]);
    expect([second!.headers["webhook-id"], second!.attempt]).toEqual([delivery.event, 2]);
  });

  test("does not overtake an earlier pending delivery", async () => {
    const webhook = await register("ordered");
    const first = await delivered(webhook, "succeeded");
    const second = await delivered(webhook, "succeeded", first.video!);
    const gate = Promise.withResolvers<void>();
    manners.set("ordered", { until: gate.promise });
    await again(first);
    await eventually(() => expect(sentTo("ordered")).toHaveLength(3));
    expect(await again(second)).toMatchObject({ status: "waiting", waits_for: first.id });
    gate.resolve();
    await eventually(() => expect(sentTo("ordered").map(({ sequence }) => sequence)).toEqual([1, 2, 1, 2]));
  });

  test("fails if the webhook was deleted or the delivery is unknown", async () => {
    const webhook = await register("deleted");
    const delivery = await delivered(webhook, "succeeded");
    await webhooks.remove(db, space, webhook);
    await expect(again(delivery)).rejects.toMatchObject({
      code: "DELIVERY_CANCELED",
      message: "Its webhook was deleted.",
    });
    await expect(again({ id: "2222222222222222222223" })).rejects.toMatchObject({ code: "NOT_FOUND" });
    const elsewhere = "11111111-1111-1111-1111-111111111111";
    await expect(deliveries.sendAgain(db, elsewhere, delivery.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});
