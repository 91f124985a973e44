import type pg from "pg";
import { expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { systemClock } from "../kernel/clock.ts";
import { createLog } from "../kernel/log.ts";
import { Watchdog } from "../kernel/watchdog.ts";
import type { Database } from "../store/db.ts";
import { listUnlockedNodes, removeNode } from "../store/nodes.ts";
import { createNodeSession } from "./node-session.ts";
import { Sweeper } from "./sweeper.ts";

const db = await testDatabase();

const loop = { clock: systemClock, log: createLog("silent"), watchdog: new Watchdog(systemClock) };

test("a node reclaims its number from a lost connection that the server still considers alive", async () => {
  const clients: pg.Client[] = [];
  const watched: Database = {
    ...db,
    async connect() {
      clients.push(await db.connect());
      return clients.at(-1)!;
    },
  };
  let losses = 0;
  const session = createNodeSession({ db: watched, ...loop, onNotice() {}, onLost: () => losses++ });
  await session.start();
  expect(session.number()).toBe(1);
  const cut = clients[0]!;
  cut.end = () => new Promise<void>(() => {}); // the server does not notice the loss
  cut.emit("end");
  expect(losses).toBe(1);
  // If the node took a new number, the leases of its attempts in flight would soon expire, as if it were dead.
  await eventually(() => expect(session.number()).not.toBeNull());
  expect(session.number()).toBe(1);
  await session.close();
});

test("a new node takes the number of a node that lost its connection only after that node is removed", async () => {
  let away = false;
  const clients: pg.Client[] = [];
  const breaking: Database = {
    ...db,
    async connect() {
      if (away) throw new Error("no network");
      clients.push(await db.connect());
      return clients.at(-1)!;
    },
  };
  const begin = async (from: Database) => {
    const session = createNodeSession({ db: from, ...loop, onNotice() {}, onLost() {} });
    await session.start();
    return session;
  };
  const [living, other] = [await begin(breaking), await begin(db)];
  const number = living.number()!;
  away = true;
  await clients[0]!.end();
  expect(living.number()).toBeNull();
  expect(await listUnlockedNodes(db, other.number()!)).toContain(number);
  const fresh = await begin(db);
  expect([number, other.number()]).not.toContain(fresh.number());
  away = false;
  await eventually(() => expect(living.number()).toBe(number));

  await living.close();
  await db.transaction((tx) => removeNode(tx, number));
  const last = await begin(db);
  expect(last.number()).toBe(number);
  for (const session of [other, fresh, last]) await session.close();
});

test("a node is presumed dead once two sweeps find its lock free, or one sweep if no other process can use the database", async () => {
  const dead = 900;
  const isListed = async () => (await listUnlockedNodes(db, 901)).includes(dead);
  const sweeper = (alone: boolean) => new Sweeper({ db, ...loop, alone, node: () => 901, wake() {} });
  const die = () => db.run({ name: "test_die", text: "insert into nodes (number) values ($1)" }, [dead]);
  await die();
  const beside = sweeper(false);
  await beside.sweep();
  expect(await isListed()).toBe(true);
  await beside.sweep();
  expect(await isListed()).toBe(false);
  await die();
  await sweeper(true).sweep();
  expect(await isListed()).toBe(false);
});
