import { verifySync } from "@mave/webhooks/node";
import { afterAll, expect, test } from "vitest";
import { type Received, startReceiver } from "../../../test/browser/receiver.ts";
import { databaseWithClock } from "../../../test/support/database-clock.ts";
import { testNode } from "../../../test/support/delivery.ts";
import { happen } from "../../../test/support/engine.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { systemClock, unixSeconds } from "../kernel/clock.ts";
import { systemRandom } from "../kernel/random.ts";
import { createAddressPolicy } from "../net/address-policy.ts";
import { createSafeClient } from "../net/safe-client.ts";

const { db, setAhead } = await databaseWithClock();
let ahead_ms = 0;
const clock = { ...systemClock, now: () => systemClock.now() + ahead_ms };
const policy = createAddressPolicy({ allowHttp: true, allowNetworks: ["loopback"] });
const client = createSafeClient({ policy, clock, random: systemRandom });
const node = await testNode(db, client, { clock });
const { space, webhooks, deliveries } = node;
afterAll(async () => {
  await node.stop();
  await client.close();
});
let videos = 0;

/** Creates a webhook with its own receiver, which is a real HTTP server. */
async function register(more = {}) {
  const receiver = await startReceiver();
  const made = await webhooks.create(db, space, { url: receiver.url, events: ["video.created"], ...more });
  /** Records an event. @returns the request that reached the receiver */
  const next = async (): Promise<Received> => {
    const event = await happen(node, `R${String(++videos).padStart(9, "0")}`);
    return eventually(() => receiver.received.find((one) => one.event.id === event) ?? Promise.reject(event));
  };
  return { ...made, next };
}

/** Splits the signature header into one header per `v1` value, all with the same `t`. */
function signaturesOf({ headers }: Received): string[] {
  const [t, ...signatures] = headers["mave-signature"]!.split(", ");
  return signatures.map((signature) => `${t}, ${signature}`);
}

/**
 * Returns whether the SDK accepts the request with this secret, given one of the request's signatures or the whole
 * header.
 */
function accepts({ headers, body }: Received, secret: string, signature = headers["mave-signature"]): boolean {
  try {
    const now = unixSeconds(clock.now());
    return verifySync(body, { "mave-signature": signature! }, secret, { now }).type === "video.created";
  } catch {
    return false; // the SDK's own tests check the reasons
  }
}

test("requests are signed with both secrets during a rotation overlap, the new one first, and only with the new one afterward", async () => {
  const { id, secret: old, next } = await register();
  const before = await next();
  expect([signaturesOf(before).length, accepts(before, old)]).toEqual([1, true]);

  const { secret, previous_secret_until } = await webhooks.rotateSecret(db, space, id, { overlap_seconds: 600 });
  const during = await eventually(async () => {
    const got = await next(); // repeated until this node has read the new secret
    expect(accepts(got, secret)).toBe(true);
    return got;
  });
  const [first, second, ...more] = signaturesOf(during);
  expect([accepts(during, secret, first), accepts(during, old, second), more]).toEqual([true, true, []]);
  expect([accepts(during, secret), accepts(during, old)]).toEqual([true, true]);
  expect(during.headers["webhook-signature"]!.split(" ")).toHaveLength(2);

  ahead_ms = previous_secret_until! * 1000 - systemClock.now() - 60_000;
  expect(signaturesOf(await next())).toHaveLength(2); // even in the overlap's last minute
  ahead_ms += 120_000;
  const after = await next();
  expect([signaturesOf(after).length, accepts(after, secret), accepts(after, old)]).toEqual([1, true, false]);
  expect(after.headers["webhook-signature"]!.split(" ")).toHaveLength(1);

  await setAhead(Math.ceil(ahead_ms / 1000));
  expect(await webhooks.revealSecret(db, space, id)).toMatchObject({ secret, previous_secret: null });
  expect((await webhooks.get(space, id)).previous_secret_until).toBeNull();
  await setAhead(0);
  ahead_ms = 0;
}, 60_000);

test("a rotation without an overlap expires the old secret immediately", async () => {
  const { id, secret: old, next } = await register();
  await next();
  const { secret } = await webhooks.rotateSecret(db, space, id, { overlap_seconds: 0 });
  const after = await eventually(async () => {
    const got = await next();
    expect(accepts(got, secret)).toBe(true);
    return got;
  });
  expect([signaturesOf(after).length, accepts(after, old)]).toEqual([1, false]);
});

test("a webhook's custom headers reach its receiver, and the attempt log contains only their names", async () => {
  const headers = { "X-Api-Key": "a key of the receiver's", Authorization: "Bearer of-the-receiver" };
  const { id, next } = await register({ headers });
  expect((await next()).headers).toMatchObject({
    "x-api-key": headers["X-Api-Key"],
    authorization: headers.Authorization,
    "content-type": "application/json",
  });
  const [delivery] = await eventually(async () => {
    const { data } = await deliveries.list(space, { webhook: id, status: "succeeded", limit: 1 });
    expect(data).toHaveLength(1);
    return data;
  });
  const shown = await deliveries.get(space, delivery!.id);
  expect(shown.log[0]!.request.headers).toMatchObject({ "X-Api-Key": "••••", Authorization: "••••" });
  for (const value of Object.values(headers)) expect(JSON.stringify(shown)).not.toContain(value);
  const [row] = await db.run<{ all: string }>({
    name: "attempts",
    text: "select string_agg(a::text, '') as all from attempts a",
  });
  for (const value of Object.values(headers)) expect(row!.all).not.toContain(value);
});
