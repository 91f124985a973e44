import { randomBytes } from "node:crypto";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createNodeSession } from "../../server/src/delivery/node-session.ts";
import { type Clock, systemClock } from "../../server/src/kernel/clock.ts";
import { createLog } from "../../server/src/kernel/log.ts";
import { Watchdog } from "../../server/src/kernel/watchdog.ts";
import { type Database, type DatabaseOptions, openDatabase } from "../../server/src/store/db.ts";
import { sendNotice } from "../../server/src/store/notices.ts";
import { openStore } from "../../server/src/store/open-store.ts";
import { sharesSessions } from "../../server/src/store/pooler.ts";
import { startHeartbeat } from "../../server/src/videos/lease.ts";
import { QUICK_RETRIES, type Scene, setScene, wait } from "../crash/scene.ts";
import { databaseUrl, testConnection } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import { without } from "../support/machine.ts";
import { type Pgbouncer, startPgbouncer } from "../support/pgbouncer.ts";
import { startServer } from "../support/server.ts";

const PATHS = ["/healthy", "/flaky"];
/** Each of the two delivering nodes holds one session, and they share the rest. */
const SESSIONS = 6;
const log = createLog("silent");

test("a direct connection is not mistaken for a pooler", async () => {
  expect(await sharesSessions(await testConnection())).toBe(false);
});

describe.skipIf(without("pgbouncer"))("a connection pooler", { timeout: 240_000 }, () => {
  test("in session mode delivers every event", async () => {
    const { url } = await startPgbouncer(await testConnection(), { mode: "session" });
    const scene = await setScene({ DATABASE_URL: url }, PATHS);
    const ledger = await underLoad(scene, () => wait(1_500));
    expect(ledger.findings).toEqual([]);
    expect(ledger.duplicates).toEqual([]);
  });

  test("in transaction mode lets a node take over a killed node's deliveries in order", async () => {
    const { scene, second, own } = await twoNodes({ MAVE_ROLES: "api,deliver" }, { MAVE_ROLES: "api,deliver" });
    expect(scene.server.output()).toContain("MAVE_DATABASE_DIRECT_URL");
    scene.balanced.push(second);
    const ledger = await underLoad(scene, async () => {
      await wait(1_000);
      scene.balanced.pop();
      await second.kill();
      await expect.poll(() => own.run(NODES), { timeout: 60_000 }).toEqual([{ count: 1 }]);
    });
    expect(ledger.findings).toEqual([]);
  });

  test("in transaction mode lets a deliver-only node find an API node's events, even after the pooler is killed", async () => {
    const { scene, pooler } = await twoNodes({ MAVE_ROLES: "api" }, { MAVE_ROLES: "deliver" });
    const ledger = await underLoad(scene, async () => {
      await wait(500);
      await pooler.restart();
      await wait(500);
    });
    expect(ledger.findings).toEqual([]);
  });

  test("in transaction mode lets a node receive notifications through the direct address", async () => {
    const { pooler, direct } = await pooled();
    const heard = vi.fn();
    await nodeOn(through(pooler, { direct }), { onNotice: heard }).start();
    await sendNotice(through(pooler), "mave_due", ["a-webhook"]);
    await eventually(() => expect(heard).toHaveBeenCalledWith("mave_due", ["a-webhook"]));
  });

  test("in transaction mode keeps each node's advisory lock across restarts, without holding a snapshot or table locks", async () => {
    const { pooler, own } = await pooled();
    const db = through(pooler);
    const [one, two] = [nodeOn(db), nodeOn(db)];
    await one.start();
    await two.start();
    expect([one.number(), two.number()]).toEqual([1, 2]);
    expect(await own.run(HELD)).toEqual(
      [1, 2].map((node) => ({ node, state: "idle in transaction", ...NOTHING_ELSE })),
    );
    await pooler.restart();
    await eventually(async () => expect(await own.run(HELD)).toHaveLength(2));
    await eventually(() => expect([one.number(), two.number()]).toEqual([1, 2]));
  });

  test("in transaction mode keeps a processor's heartbeat visible while the processor works", async () => {
    const { pooler, own } = await pooled();
    const end = await startHeartbeat(
      { db: through(pooler), clock: systemClock, log },
      "0193a5a0-0000-7000-8000-000000000001",
    );
    expect(await own.run(MARKS)).toEqual([{ count: 1 }]);
    await end();
    await eventually(async () => expect(await own.run(MARKS)).toEqual([{ count: 0 }]));
  });

  test("without a spare session prevents a node from starting, and the error explains how to fix it", async () => {
    const pooler = await startPgbouncer(await testConnection(), { mode: "transaction", sessions: 1 });
    const impatient: Clock = { ...systemClock, after: (_, work) => systemClock.after(50, work) };
    await expect(nodeOn(through(pooler), { clock: impatient }).start()).rejects.toThrow(
      "Raise the pooler's default_pool_size",
    );
  });

  test("prevents a node from starting if the direct address leads to a pooler or another database", async () => {
    const { url } = (await pooled()).pooler;
    const start = (databaseDirectUrl: string) =>
      openStore({ databaseUrl: url, databaseDirectUrl, dataDir: "", log, onLost() {} });
    await expect(start(url)).rejects.toThrow("MAVE_DATABASE_DIRECT_URL points to a connection pooler");
    await expect(start(databaseUrl(await testConnection()))).rejects.toThrow("point to different databases");
  });
});

/** Starts a transaction-mode pooler in front of a new database. */
async function pooled() {
  const direct = await testConnection();
  const pooler = await startPgbouncer(direct, { mode: "transaction", sessions: SESSIONS });
  return { pooler, direct, own: open({ connection: direct, connections: 1 }) };
}

function open(options: DatabaseOptions): Database {
  const db = openDatabase(options);
  onTestFinished(() => db.close());
  return db;
}

const through = ({ url }: Pgbouncer, more: Partial<DatabaseOptions> = {}): Database =>
  open({ connection: url, pooled: true, connections: 4, ...more });

/** Starts two processes behind a transaction-mode pooler. API calls go to the first process. */
async function twoNodes(first: Record<string, string>, other: Record<string, string>) {
  const { pooler, own } = await pooled();
  const env = {
    DATABASE_URL: pooler.url,
    MAVE_SECRETS_KEY: randomBytes(32).toString("base64"),
    LOG_LEVEL: "info",
  };
  const scene = await setScene({ ...env, ...first }, PATHS);
  const second = await startServer({ ...QUICK_RETRIES, ...env, ...other });
  onTestFinished(() => second.remove());
  return { scene, second, pooler, own };
}

async function underLoad(scene: Scene, meanwhile: () => Promise<void>) {
  const load = scene.load({ callers: 2, pause_ms: 100 });
  await meanwhile();
  await load.stop();
  await scene.drained();
  return scene.compare(load);
}

function nodeOn(db: Database, more: { onNotice?: () => void; clock?: Clock } = {}) {
  const node = createNodeSession({
    db,
    clock: systemClock,
    log,
    watchdog: new Watchdog(systemClock),
    onNotice() {},
    onLost() {},
    ...more,
  });
  onTestFinished(node.close);
  return node;
}

const NODES = { name: "test_nodes", text: "select count(*)::int as count from nodes" };

/** Selects each session that holds a node's number, and what else the session holds. */
const HELD = {
  name: "test_held_sessions",
  text: `select l.objid::int as node, a.state, a.backend_xmin is not null as snapshot, a.backend_xid is not null as writes,
      (select count(*)::int from pg_locks t where t.pid = l.pid and t.locktype = 'relation') as tables
    from pg_locks l join pg_stat_activity a using (pid)
    where l.locktype = 'advisory' and l.classid = 7021800 and a.datname = current_database() order by 1`,
};
const NOTHING_ELSE = { snapshot: false, writes: false, tables: 0 };

const MARKS = {
  name: "test_marks",
  text: `select count(*)::int as count from pg_locks where locktype = 'advisory' and classid = 7021810
    and database = (select oid from pg_database where datname = current_database())`,
};
