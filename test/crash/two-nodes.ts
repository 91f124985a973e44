import { randomBytes } from "node:crypto";
import { expect, onTestFinished } from "vitest";
import { shortUuid } from "../../server/src/kernel/short-uuid.ts";
import { type Database, openDatabase } from "../../server/src/store/db.ts";
import { databaseUrl, testConnection } from "../support/database.ts";
import { startServer, type TestServer } from "../support/server.ts";
import type { Ledger } from "./ledger.ts";
import { QUICK_RETRIES, type Scene, SEED, setScene, wait } from "./scene.ts";

export interface TwoNodes {
  scene: Scene;
  nodes: [TestServer, TestServer];
  db: Database;
}

/** Starts two nodes that serve the API and deliver events. They share a database, which the test can query. */
export async function startTwoNodes(): Promise<TwoNodes> {
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
  scene.balanced.push(second);
  return { scene, nodes: [scene.server, second], db };
}

/** Returns the number of nodes that the database considers alive. */
export async function livingNodes(db: Database): Promise<number> {
  const count = { name: "test_nodes", text: "select count(*)::int as count from nodes" };
  return (await db.run<{ count: number }>(count))[0]!.count;
}

/** A delivery leased to a node. */
export interface Leased {
  delivery: string;
  attempt: number;
  until_ms: number;
}

async function leasedTo(db: Database, node: number): Promise<Leased[]> {
  const leased = {
    name: "test_leased",
    text: `select id, attempt, extract(epoch from leased_until)::float8 * 1000 as until_ms from pending_deliveries
      where leased_by = $1 and leased_until > now()`,
  };
  const rows = await db.run<{ id: string } & Omit<Leased, "delivery">>(leased, [node]);
  return rows.map(({ id, ...row }) => ({ delivery: shortUuid(id), ...row }));
}

/**
 * Reads the leases of a frozen node until they no longer change, because a settle that it had already sent to the
 * database may still be running.
 */
async function leasedToFrozen(db: Database, node: number): Promise<Leased[]> {
  for (let [unchanged, before] = [0, ""]; ; ) {
    await wait(100);
    const leases = await leasedTo(db, node);
    const now = JSON.stringify(leases);
    unchanged = now === before ? unchanged + 1 : 0;
    before = now;
    if (unchanged === 3) return leases;
  }
}

/** Freezes a node with SIGSTOP while it has leases, and directs callers to the other node. @returns the leases */
export async function freeze({ scene: { balanced }, nodes, db }: TwoNodes, index: number): Promise<Leased[]> {
  const node = nodes[index]!;
  let leases: Leased[] = [];
  const frozen = async () => {
    node.process().kill("SIGSTOP");
    balanced.splice(balanced.indexOf(node), 1);
    leases = await leasedToFrozen(db, index + 1); // a restarted node gets the lowest free number, which is its old one
    if (leases.length === 0) {
      node.process().kill("SIGCONT");
      balanced.push(node);
    }
    return leases.length;
  };
  await expect.poll(frozen, { timeout: 60_000, interval: 37 }).toBeGreaterThan(0);
  return leases;
}

/** Waits until another node has sent all of these deliveries. @returns the time of each request in ms */
export async function sentByOther({ receiver }: Scene, leases: Leased[]): Promise<number[]> {
  const times = () => {
    const received = receiver.read();
    const next = ({ delivery, attempt }: Leased) =>
      received.find((request) => request.delivery === delivery && request.attempt > attempt)?.began_ms;
    return leases.map(next).filter((at_ms) => at_ms !== undefined);
  };
  await expect.poll(times, { timeout: 120_000, interval: 10 }).toHaveLength(leases.length);
  return times();
}

/** Checks that the ledger has no findings and that only deliveries with these leases arrived twice. */
export function expectNoLoss(what: string, ledger: Ledger, leases: Leased[]): void {
  console.log(
    `${what}, seed ${SEED}: ${ledger.events} events, ${ledger.received.length} requests, ` +
      `${ledger.unrecorded.length} attempts lost, ${ledger.duplicates.length} deliveries arrived twice`,
  );
  expect(ledger.findings).toEqual([]);
  expect(leases.map(({ delivery }) => delivery)).toEqual(expect.arrayContaining(ledger.duplicates));
}
