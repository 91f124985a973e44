import { describe, expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { engineParts, happen } from "../../../test/support/engine.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { createDeliveries } from "../delivery/deliveries.ts";
import { createEvents } from "../events/events.ts";

const db = await testDatabase();
const parts = await engineParts(db);
const { space, webhooks, signals } = parts;
const deliveries = createDeliveries({ db, signals, retries: 9 });
const url = "https://receiver.example.com/mave";
const events = ["video.created", "video.deleted"] as const;
const make = (more = {}) => webhooks.create(db, space, { url, events: [...events], ...more });

describe("a webhook", () => {
  test("does not include its secret, which is returned on creation and can be revealed later", async () => {
    const made = await make();
    expect(made.secret).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/);
    const shown = await webhooks.get(space, made.id);
    expect(JSON.stringify(shown)).not.toContain(made.secret);
    expect(shown.secret_hint).toBe(made.secret.slice(-4));
    expect(await webhooks.revealSecret(db, space, made.id)).toMatchObject({
      secret: made.secret,
      previous_secret: null,
    });
  });

  test("keeps its previous secret during the overlap, or discards it immediately if there is no overlap", async () => {
    const made = await make();
    const rotated = await webhooks.rotateSecret(db, space, made.id, { overlap_seconds: 60 });
    expect(await webhooks.revealSecret(db, space, made.id)).toMatchObject({
      secret: rotated.secret,
      previous_secret: made.secret,
    });
    await webhooks.rotateSecret(db, space, made.id, { overlap_seconds: 0 });
    expect(await webhooks.revealSecret(db, space, made.id)).toMatchObject({ previous_secret: null });
  });

  test("accepts a secret from the caller and reports an invalid one along with all other invalid fields", async () => {
    const own = `whsec_${Buffer.alloc(24, 9).toString("base64")}`;
    expect((await make({ secret: own })).secret).toBe(own);
    const bad = make({ secret: "whsec_short", headers: { Host: "x" }, events: [] });
    await expect(bad).rejects.toMatchObject({
      code: "REQUEST_INVALID",
      errors: [{ path: "/events" }, { path: "/headers/Host" }, { path: "/secret" }],
    });
  });

  test("masks its custom header values", async () => {
    const made = await make({ headers: { "X-Key": "very secret" } });
    expect(made.headers).toEqual({ "X-Key": "••••" });
  });

  test("can be paused and resumed without changing any other field", async () => {
    const made = await make({ description: "first" });
    const paused = await webhooks.update(db, space, made.id, { status: "paused" });
    expect(paused).toMatchObject({
      status: "paused",
      status_reason: "Paused by a user.",
      description: "first",
    });
    expect(await webhooks.update(db, space, made.id, { status: "enabled" })).toMatchObject({
      status: "enabled",
      status_reason: null,
    });
  });

  test("holds its deliveries while it is paused", async () => {
    const made = await make();
    await webhooks.update(db, space, made.id, { status: "paused" });
    await happen(parts, "BBBBBBBBB1");
    const { data } = await deliveries.list(space, { webhook: made.id, limit: 20 });
    expect(data).toMatchObject([{ status: "held", attempts: 0, max_attempts: 10, video: "BBBBBBBBB1" }]);
  });

  test("cancels its pending deliveries when it is deleted", async () => {
    const made = await make();
    await happen(parts, "BBBBBBBBB2");
    await happen(parts, "BBBBBBBBB2", "video.deleted");
    await webhooks.remove(db, space, made.id);
    const { data } = await deliveries.list(space, { webhook: made.id, limit: 20 });
    expect(data.map(({ status, reason }) => [status, reason])).toEqual([
      ["canceled", "Its webhook was deleted."],
      ["canceled", "Its webhook was deleted."],
    ]);
    await expect(deliveries.sendAgain(db, space, data[0]!.id)).rejects.toMatchObject({ code: "DELIVERY_CANCELED" });
  });

  test("receives a test event that no other webhook receives", async () => {
    const [made, other] = [await make(), await make({ events: ["webhook.test"] })];
    const delivery = await parts.sendTest(db, space, made.id, "webhook.test");
    expect(delivery).toMatchObject({ webhook: made.id, type: "webhook.test", status: "waiting", max_attempts: 1 });
    expect((await deliveries.list(space, { webhook: other.id, limit: 20 })).data).toEqual([]);
  });

  test("cannot be found from another space or with a malformed id", async () => {
    const made = await make();
    const elsewhere = "11111111-1111-1111-1111-111111111111";
    await expect(webhooks.get(elsewhere, made.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(webhooks.get(space, "no id")).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

describe("lists", () => {
  test("return deliveries newest first and can be paged in both directions", async () => {
    const made = await make();
    for (let n = 1; n <= 5; n++) await happen(parts, `CCCCCCCCC${n}`);
    const first = await deliveries.list(space, { webhook: made.id, limit: 2 });
    const second = await deliveries.list(space, { webhook: made.id, limit: 2, after: first.next! });
    expect([...first.data, ...second.data].map(({ video }) => video)).toEqual([5, 4, 3, 2].map((n) => `CCCCCCCCC${n}`));
    const back = await deliveries.list(space, { webhook: made.id, limit: 2, before: second.data[0]!.id });
    expect(back.data).toEqual(first.data);
    for (const filter of [
      { video: "CCCCCCCCC3" },
      { status: "pending" as const },
      { status: "failed" as const },
      { response: "none" as const },
    ])
      await deliveries.list(space, { limit: 2, ...filter });
  });

  test("return events in commit order", async () => {
    const history = createEvents({ db });
    const latest = () => history.list(space, { limit: 1, video: "CCCCCCCCC5" });
    // Events are listed only after all older transactions have finished.
    await eventually(async () => expect((await latest()).data).toHaveLength(1));
    const all = await history.list(space, { limit: 100, video: "CCCCCCCCC1" });
    expect(JSON.parse(all.data[0]!.json)).toMatchObject({ object: "event", type: "video.created", sequence: 1 });
    const newest = await history.list(space, { limit: 1, order: "desc" });
    expect(newest.data[0]!.id).toBe(await history.last(space));
  });
});
