import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { verifySync } from "@mave/webhooks/node";
import { afterEach, describe, expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { noResponse, type Receiver, response, type TestNode, testNode } from "../../../test/support/delivery.ts";
import { happen } from "../../../test/support/engine.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { systemClock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import { systemRandom } from "../kernel/random.ts";
import { createAddressPolicy } from "../net/address-policy.ts";
import { createSafeClient } from "../net/safe-client.ts";
import type { Database } from "../store/db.ts";
import type { DeliveryStatus } from "../store/history.ts";

const db = await testDatabase();
const nodes: TestNode[] = [];
let videos = 0;
const newVideo = () => `D${String(++videos).padStart(9, "0")}`;

async function start(receiver: Receiver, options = {}): Promise<TestNode> {
  const node = await testNode(db, receiver, options);
  nodes.push(node);
  return node;
}

/** Creates a webhook whose URL path is its name, so that the receiver can tell webhooks apart. */
const register = ({ webhooks, space }: TestNode, name: string, more = {}) =>
  webhooks.create(db, space, {
    url: `https://r.example.com/${name}`,
    events: ["video.created", "video.uploaded", "video.deleted"],
    ...more,
  });

const statuses = async ({ deliveries, space }: TestNode, webhook: string) =>
  (await deliveries.list(space, { webhook, limit: 100 })).data.map(({ status, attempts }) => `${status} ${attempts}`);

const idOf = async ({ deliveries, space }: TestNode, webhook: string, status: DeliveryStatus) =>
  (await deliveries.list(space, { webhook, status, limit: 1 })).data[0]!.id;

afterEach(async () => {
  for (const node of nodes.splice(0)) {
    const { data } = await node.webhooks.list(node.space, { limit: 100 });
    for (const { id } of data) await node.webhooks.remove(node.db, node.space, id);
    await node.stop();
  }
});

describe("the dispatcher", () => {
  test("sends a recorded event immediately with a signature that the SDK accepts, and settles it", async () => {
    const ran: string[] = [];
    let needsClaim = true;
    const watched: Database = {
      ...db,
      run(statement, values) {
        ran.push(statement.name);
        return db.run(statement, values);
      },
    };
    const node = await testNode(watched, () => {
      needsClaim = ran.includes("queue_claim");
      return response(200);
    });
    nodes.push(node);
    const { id, secret } = await register(node, "one");
    await happen(node, newVideo());
    await eventually(async () => expect(await statuses(node, id)).toEqual(["succeeded 1"]));
    expect(needsClaim).toBe(false); // the recorder passed the delivery on
    const [request] = node.seen;
    expect(request!.headers).toMatchObject({
      "Content-Type": "application/json",
      "User-Agent": "Mave-Webhooks/0",
      "Mave-Attempt": "1",
      "Mave-Sequence": "1",
      "Mave-Previous": "0",
    });
    expect(verifySync(JSON.stringify(request!.body), request!.headers, secret).type).toBe("video.created");
  });

  test("sends the deliveries in a full queue even if the first attempt to read their webhook fails", async () => {
    const queued = Promise.withResolvers<void>();
    let isQueued = false;
    const failing: Database = {
      ...db,
      async run(statement, values) {
        if (statement.name !== "webhooks_by_ids" || isQueued) return db.run(statement, values);
        await queued.promise;
        throw new Error("no connection");
      },
    };
    const node = await testNode(failing, () => response(200));
    nodes.push(node);
    const { id } = await register(node, "unread");
    for (let n = 0; n < 4; n++) await happen(node, newVideo());
    isQueued = true; // no later event triggers another read, and neither does a claim, because the queue is full
    queued.resolve();
    await eventually(async () => expect(await statuses(node, id)).toEqual(Array(4).fill("succeeded 1")));
  });

  test("retries on schedule, then marks the delivery as failed, and logs every attempt", async () => {
    const node = await start(() => response(500), { schedule_s: [0, 0] });
    const { id } = await register(node, "fails");
    await happen(node, newVideo());
    await eventually(async () => expect(await statuses(node, id)).toEqual(["failed 3"]));
    const [delivery] = (await node.deliveries.list(node.space, { webhook: id, limit: 1 })).data;
    const { log } = await node.deliveries.get(node.space, delivery!.id);
    expect(log.map(({ number, outcome, status }) => [number, outcome, status])).toEqual([
      [1, "retry", 500],
      [2, "retry", 500],
      [3, "failed", 500],
    ]);
    expect(log[0]).toMatchObject({
      response: { body: "ok" },
      error: { word: "status" },
      url: "https://r.example.com/fails",
    });
    expect(new Set(node.seen.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  });

  test("retries immediately, without using a step of the schedule, if a reused connection was being closed", async () => {
    const timings = { dns: null, connect: null, tls: null, first_byte: null, total: 2, reused: true };
    const node = await start(
      ({ attempt }) => (attempt === 1 ? { ...noResponse("connection_reset"), timings } : response(200)),
      { schedule_s: [3600] },
    );
    const { id } = await register(node, "race");
    await happen(node, newVideo());
    await eventually(async () => expect(await statuses(node, id)).toEqual(["succeeded 2"]));
  });

  test("does not fail a delivery whose last attempt is cut off by a shutdown", async () => {
    const node = await start(({ attempt }) => (attempt === 1 ? noResponse("stopped") : response(200)), {
      schedule_s: [],
    });
    const { id } = await register(node, "cut-off");
    await happen(node, newVideo());
    await eventually(async () => expect(await statuses(node, id)).toEqual(["succeeded 2"]));
  });

  test("sends the immediate retry on a new connection, even if several idle connections are being closed", async () => {
    const used = new WeakSet<Socket>();
    const server = createServer((request, response) => {
      const { socket } = request;
      if (used.has(socket)) return socket.destroy();
      used.add(socket);
      return request.resume().on("end", () => response.end());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const policy = createAddressPolicy({ allowHttp: true, allowNetworks: ["loopback"] });
    const client = createSafeClient({ policy, clock: systemClock, random: systemRandom });
    const node = await testNode(db, client, { schedule_s: [3600] });
    nodes.push(node);
    const { id } = await register(node, "idle", { url });
    // The server closes each connection when a second request arrives on it.
    for (let n = 0; n < 80; n++) await happen(node, newVideo());
    await eventually(async () => {
      const all = await statuses(node, id);
      expect(all.filter((status) => !/^succeeded [12]$/.test(status))).toEqual([]);
      expect(new Set(all)).toContain("succeeded 2");
    });
    await client.close();
    server.closeAllConnections();
    server.close();
  });

  test("delivers a video's events in order despite failures", async () => {
    let calls = 0;
    const node = await start(() => response(++calls % 3 === 0 ? 200 : 500), { schedule_s: [0, 0, 0, 0, 0] });
    const { id } = await register(node, "order");
    const video = newVideo();
    for (const type of ["video.created", "video.uploaded", "video.deleted"] as const) await happen(node, video, type);
    await eventually(async () =>
      expect(await statuses(node, id)).toEqual(["succeeded 3", "succeeded 3", "succeeded 3"]),
    );
    expect(node.seen.map(({ sequence }) => sequence)).toEqual([1, 1, 1, 2, 2, 2, 3, 3, 3]);
  }, 60_000);

  test("holds a paused webhook's deliveries and sends them on resume, oldest first and within the rate limit", async () => {
    const node = await start(() => response(200));
    const [rate_limit, count] = [10, 11];
    const { id } = await register(node, "paused", { rate_limit });
    await node.webhooks.update(node.db, node.space, id, { status: "paused" });
    const videos = Array.from({ length: count - 1 }, newVideo);
    for (const video of videos) await happen(node, video);
    await happen(node, videos[0]!, "video.deleted");
    expect(new Set(await statuses(node, id))).toEqual(new Set(["held 0"]));
    expect(node.seen).toEqual([]);
    const resumed_ms = performance.now();
    await node.webhooks.update(node.db, node.space, id, { status: "enabled" });
    await eventually(() => expect(node.seen).toHaveLength(count));
    const duration_ms = performance.now() - resumed_ms; // a slow machine makes this longer, never shorter
    expect(duration_ms).toBeGreaterThanOrEqual(((count - 1) / (rate_limit * 1.1)) * 1_000);
    const sequenceOf = (number: number) => node.seen.filter(({ sequence }) => sequence === number);
    expect(sequenceOf(1).map(({ body }) => body.data.id)).toEqual(videos);
    expect(node.seen.indexOf(sequenceOf(2)[0]!)).toBeGreaterThan(0); // it was sent after the video's first event
    await eventually(async () => expect(new Set(await statuses(node, id))).toEqual(new Set(["succeeded 1"])));
  });

  test("sends a failed delivery again only once, even after a hundred clicks", async () => {
    const clicked = Promise.withResolvers<void>();
    let healthy = false;
    const node = await start(
      async () => {
        if (healthy) await clicked.promise; // so that all clicks happen during one attempt, however long they take
        return response(healthy ? 200 : 500);
      },
      { schedule_s: [] },
    );
    const { id } = await register(node, "again");
    await happen(node, newVideo());
    await eventually(async () => expect(await statuses(node, id)).toEqual(["failed 1"]));
    healthy = true;
    const [delivery] = (await node.deliveries.list(node.space, { webhook: id, limit: 1 })).data;
    const clicks = Array.from({ length: 100 }, () => node.deliveries.sendAgain(node.db, node.space, delivery!.id));
    await Promise.allSettled(clicks);
    clicked.resolve();
    await eventually(async () => expect(await statuses(node, id)).toEqual(["succeeded 2"]));
    expect(node.seen).toHaveLength(2);
  });

  test("sends a manual delivery immediately even while a Retry-After delays the webhook's other deliveries", async () => {
    let busy = true;
    const node = await start(() => (busy ? response(429, [["retry-after", "3600"]]) : response(200)), {
      schedule_s: [1],
    });
    const { id } = await register(node, "rests");
    await happen(node, newVideo());
    await eventually(async () => expect(await statuses(node, id)).toEqual(["retrying 1"]));
    await happen(node, newVideo());
    await node.deliveries.sendAgain(node.db, node.space, await idOf(node, id, "retrying"));
    await eventually(async () => expect(await statuses(node, id)).toEqual(["waiting 0", "failed 2"]));
    expect(node.seen).toHaveLength(2); // the other delivery is still waiting
    busy = false;
    await node.deliveries.sendAgain(node.db, node.space, await idOf(node, id, "waiting"));
    await eventually(async () => expect(await statuses(node, id)).toEqual(["succeeded 1", "failed 2"]));
  }, 60_000);

  test("discards the response if the webhook is deleted during the attempt", async () => {
    const gate = Promise.withResolvers<void>();
    const node = await start(async () => {
      await gate.promise;
      return response(200);
    });
    const { id } = await register(node, "deleted");
    await happen(node, newVideo());
    await eventually(() => expect(node.seen).toHaveLength(1));
    await node.webhooks.remove(node.db, node.space, id);
    gate.resolve();
    await eventually(() => expect(node.node.stats()).toMatchObject({ inFlight: 0, unsettled: 0, leasesLost: 1 }));
    expect(await statuses(node, id)).toEqual(["canceled 1"]);
  });

  test("uses a URL that changes during an attempt for the next attempt, and logs both URLs", async () => {
    const gate = Promise.withResolvers<void>();
    const video = newVideo();
    const node = await start(async ({ webhook, body, attempt }) => {
      if (body.data.id === video && attempt === 1) await gate.promise; // other events must not use up the lane's slots
      return response(webhook === "old" ? 500 : 200);
    });
    const { id } = await register(node, "old");
    await happen(node, video);
    await eventually(() => expect(node.seen).toHaveLength(1));
    await node.webhooks.update(node.db, node.space, id, { url: "https://r.example.com/new" });
    await eventually(async () => {
      await happen(node, newVideo()); // repeated until this node has read the new URL
      expect(node.seen.some(({ webhook }) => webhook === "new")).toBe(true);
    });
    gate.resolve();
    const ofVideo = async () => (await node.deliveries.list(node.space, { video, limit: 1 })).data[0]!;
    await eventually(async () => expect(await ofVideo()).toMatchObject({ status: "succeeded", attempts: 2 }));
    const { log } = await node.deliveries.get(node.space, (await ofVideo()).id);
    expect(log.map(({ url, status }) => [url, status])).toEqual([
      ["https://r.example.com/old", 500],
      ["https://r.example.com/new", 200],
    ]);
  }, 60_000);

  test("finishes a delivery that is in flight when its webhook's event types change, and applies the change to later events", async () => {
    const gate = Promise.withResolvers<void>();
    const node = await start(async ({ attempt }) => {
      if (attempt === 1) await gate.promise;
      return response(attempt === 1 ? 500 : 200);
    });
    const { id } = await register(node, "chosen");
    const video = newVideo();
    await happen(node, video);
    await eventually(() => expect(node.seen).toHaveLength(1));
    await node.webhooks.update(node.db, node.space, id, { events: ["video.deleted"] });
    for (const type of ["video.uploaded", "video.deleted"] as const) await happen(node, video, type);
    gate.resolve();
    await eventually(async () => expect(await statuses(node, id)).toEqual(["succeeded 2", "succeeded 2"]));
    expect(node.seen.map(({ body, attempt }) => `${body.type} ${attempt}`)).toEqual([
      "video.created 1",
      "video.created 2",
      "video.deleted 1",
      "video.deleted 2",
    ]);
  }, 60_000);

  test("settles attempts in flight and returns unsent deliveries while draining", async () => {
    const gate = Promise.withResolvers<void>();
    const node = await start(async () => {
      await gate.promise;
      return response(200);
    });
    const { id } = await register(node, "drain");
    for (let n = 0; n < 6; n++) await happen(node, newVideo());
    await eventually(() => expect(node.seen).toHaveLength(2)); // slow start
    const drained = node.stop();
    gate.resolve();
    await drained;
    nodes.splice(0);
    expect((await statuses(node, id)).toSorted()).toEqual(
      [...Array(2).fill("succeeded 1"), ...Array(4).fill("waiting 0")].toSorted(),
    );
    const next = await start(() => response(200));
    await eventually(async () => expect(new Set(await statuses(next, id))).toEqual(new Set(["succeeded 1"])));
  });

  test("waits for a claim in flight while draining, and returns the claimed deliveries", async () => {
    const [asked, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let drains = false;
    const slow: Database = {
      ...db,
      async run(statement, values) {
        const rows = await db.run(statement, values);
        if (statement.name === "queue_claim" && rows.length > 0) {
          asked.resolve();
          await held.promise; // as if the database's response were still in transit
        }
        return rows as never;
      },
    };
    const node = await testNode(slow, () => response(200));
    const { id } = await register(node, "claimed");
    await node.webhooks.update(node.db, node.space, id, { status: "paused" });
    await happen(node, newVideo());
    await node.webhooks.update(node.db, node.space, id, { status: "enabled" });
    await asked.promise;
    const drained = node.stop().then(() => {
      drains = true;
    });
    for (let turn = 0; turn < 100 && !drains; turn++) await db.run({ name: "test_turn", text: "select" });
    expect(drains).toBe(false);
    held.resolve();
    await drained;
    expect(await statuses(node, id)).toEqual(["waiting 0"]);
    await node.webhooks.remove(node.db, node.space, id);
  });

  test("waits until unsent deliveries are returned while draining", async () => {
    const [asked, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let isReturned = false;
    const slow: Database = {
      ...db,
      async run(statement, values) {
        if (statement.name !== "queue_return_leases") return db.run(statement, values);
        asked.resolve();
        await held.promise;
        const rows = await db.run(statement, values);
        isReturned = true;
        return rows as never;
      },
    };
    const node = await testNode(slow, () => new Promise(() => {}));
    const { id } = await register(node, "slow");
    for (let n = 0; n < 4; n++) await happen(node, newVideo());
    await eventually(() => expect(node.seen).toHaveLength(2));
    const drained = node.node.drain(50);
    await asked.promise;
    held.resolve();
    await drained;
    expect(isReturned).toBe(true);
    expect((await statuses(node, id)).filter((status) => status === "waiting 0")).toHaveLength(2);
    await node.webhooks.remove(node.db, node.space, id);
  });

  test("stops sending while too many outcomes are not committed, and continues afterward", async () => {
    const gate = Promise.withResolvers<void>();
    const slow: Database = {
      ...db,
      transaction: (work) =>
        db.transaction((tx) =>
          work({
            ...tx,
            async last(statement, values) {
              if (statement.name === "queue_settle") await gate.promise; // as if the database were very slow
              return tx.last(statement, values);
            },
          }),
        ),
    };
    const node = await testNode(slow, () => response(200));
    nodes.push(node);
    const count = LIMITS.SETTLE_PENDING_MAX + 100;
    await register(node, "unsettled", { ordering: "none" });
    for (let n = 0; n < count; n++) await happen(node, newVideo());
    await eventually(() => expect(node.node.stats().unsettled).toBeGreaterThanOrEqual(LIMITS.SETTLE_PENDING_MAX));
    expect(node.seen.length).toBeLessThan(LIMITS.SETTLE_PENDING_MAX + LIMITS.WEBHOOK_IN_FLIGHT_MAX);
    gate.resolve();
    await eventually(() => expect(new Set(node.seen.map(({ body }) => body.id)).size).toBe(count));
  }, 60_000);

  test("claims the deliveries leased to a dead node", async () => {
    const first = await start(() => new Promise(() => {}));
    const { id } = await register(first, "dead");
    await happen(first, newVideo());
    await eventually(() => expect(first.seen).toHaveLength(1));
    nodes.splice(0);
    const second = await start(() => response(200));
    await db.run({
      name: "test_kill",
      text: `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and classid = 7021800 and objid = 1
        and database = (select oid from pg_database where datname = current_database())`,
    });
    void first.node.drain(1);
    await eventually(async () => expect(await statuses(second, id)).toEqual(["succeeded 2"]));
  });
});
