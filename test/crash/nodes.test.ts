import { randomBytes } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { LIMITS } from "../../server/src/limits.ts";
import { type Database, openDatabase } from "../../server/src/store/db.ts";
import { databaseUrl, testConnection } from "../support/database.ts";
import { startServer, type TestServer } from "../support/server.ts";
import type { Ledger } from "./ledger.ts";
import { seeded } from "./load.ts";
import { FACTOR, PATHS, pass, QUICK_RETRIES, type Scene, SEED, setScene } from "./scene.ts";

const KILLS = 2 * Math.ceil(FACTOR);

/** Longer than a lease, which is half a minute, only by CRASH_FACTOR. */
const FREEZE_MS = FACTOR > 1 ? 60_000 : 3_000;
const IN_FLIGHT_MAX = PATHS.length * LIMITS.WEBHOOK_IN_FLIGHT_MAX;
const TAKEN_OVER = { timeout: 30_000, interval: 10 };

interface TwoNodes {
  scene: Scene;
  nodes: [TestServer, TestServer];
  db: Database;
}

/** Two nodes that serve and deliver, on one database that the test can look into. */
async function twoNodes(): Promise<TwoNodes> {
  const connection = await testConnection();
  const db = openDatabase({ connection, connections: 2 });
  const env = {
    DATABASE_URL: databaseUrl(connection),
    MAVE_ROLES: "api,deliver",
    MAVE_SECRETS_KEY: randomBytes(32).toString("base64"),
  };
  const scene = await setScene(env);
  const second = await startServer({ ...QUICK_RETRIES, ...env });
  onTestFinished(async () => {
    await second.remove();
    await db.close();
  });
  scene.doors.push(second);
  return { scene, nodes: [scene.server, second], db };
}

const count = { name: "test_nodes", text: "select count(*)::int as count from nodes" };
const living = async (db: Database) => (await db.run<{ count: number }>(count))[0]!.count;

const held = {
  name: "test_held",
  text: "select count(*)::int as count from open_deliveries where leased_by = $1 and leased_until > '-infinity'",
};
/** How many deliveries are leased to a node, whether or not the lease has ended. */
const heldBy = async (db: Database, node: number) => (await db.run<{ count: number }>(held, [node]))[0]!.count;

test("two nodes killed in turn under load: the other one takes over, and nothing is lost, doubled or out of order", {
  timeout: 240_000 * FACTOR,
}, async () => {
  const { scene, nodes, db } = await twoNodes();
  const random = seeded(SEED);
  const load = scene.load({ callers: 3, pause_ms: 400 });
  const takeovers: number[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    await pass(300 + random() * 500);
    takeovers.push(await killUntilTakenOver(nodes[kill % 2]!, scene, db));
  }
  await load.stop();
  await scene.drained();
  const ledger = await scene.compare(load);
  report(`${KILLS} kills of two nodes; buried after ${takeovers.map(Math.round).join(", ")} ms`, ledger);
  expect(ledger.findings).toEqual([]);
  expect(ledger.duplicates).toBeLessThanOrEqual(KILLS * IN_FLIGHT_MAX);
});

/** @returns milliseconds until the others had struck it off and ended its leases, which is one transaction */
async function killUntilTakenOver(node: TestServer, scene: Scene, db: Database): Promise<number> {
  await node.kill();
  const killed = performance.now();
  scene.doors.splice(scene.doors.indexOf(node), 1);
  await expect.poll(() => living(db), TAKEN_OVER).toBe(1);
  const took_ms = performance.now() - killed;
  await node.start();
  expect(await living(db)).toBe(2);
  scene.doors.push(node);
  return took_ms;
}

test("a node frozen under load comes back, and nothing is lost, doubled or out of order", {
  timeout: 240_000 * FACTOR,
}, async () => {
  const { scene, nodes, db } = await twoNodes();
  const frozen = nodes[1];
  const load = scene.load({ callers: 8, pause_ms: 200 });
  await freezeAtWork(scene, frozen, db);
  try {
    const began = performance.now();
    if (FREEZE_MS > LIMITS.LEASE_MS) {
      await expect.poll(() => heldBy(db, SECOND), { timeout: FREEZE_MS * 3, interval: 50 }).toBe(0);
      console.log(`What the frozen node held was taken over after ${Math.round(performance.now() - began)} ms.`);
    }
    await pass(Math.max(0, FREEZE_MS - (performance.now() - began)));
    expect(await living(db)).toBe(2); // its lock is held: a frozen node is not a dead one
  } finally {
    frozen.process().kill("SIGCONT");
  }
  scene.doors.push(frozen);
  await pass(500);
  await load.stop();
  await scene.drained();
  const ledger = await scene.compare(load);
  report(`a freeze of ${FREEZE_MS} ms`, ledger);
  expect(ledger.findings).toEqual([]);
  expect(ledger.duplicates).toBeLessThanOrEqual(IN_FLIGHT_MAX);
});

/** The number of the node that started second. */
const SECOND = 2;

/** Stops the process at a moment at which it holds deliveries, and leads callers elsewhere. */
async function freezeAtWork({ doors }: Scene, node: TestServer, db: Database): Promise<void> {
  const stopped = async () => {
    node.process().kill("SIGSTOP");
    doors.splice(1);
    await pass(100); // statements that were under way end
    const holds = (await heldBy(db, SECOND)) > 0;
    if (!holds) node.process().kill("SIGCONT");
    if (!holds) doors.push(node);
    return holds;
  };
  await expect.poll(stopped, { timeout: 60_000, interval: 37 }).toBe(true);
}

function report(what: string, ledger: Ledger): void {
  console.log(
    `${what}, seed ${SEED}: ${ledger.events} events, ${ledger.received.length} requests, ` +
      `${ledger.unrecorded.length} attempts lost with their node, ${ledger.duplicates} deliveries arrived twice`,
  );
}
