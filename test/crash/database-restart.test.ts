import { mkdtemp, readFile, realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { createLog } from "../../server/src/kernel/log.ts";
import { startEmbeddedPostgres } from "../../server/src/store/embedded-postgres.ts";
import { databaseUrl } from "../support/database.ts";
import { removeDataFolder } from "../support/server.ts";
import { type Scene, setScene, wait } from "./scene.ts";

/** The signals for a fast shutdown, an immediate shutdown and a kill of PostgreSQL, in this order. */
const SIGNALS = ["SIGINT", "SIGQUIT", "SIGKILL"] as const;

interface Database {
  /** The data folder that contains the database. */
  folder(scene: Scene): string;
  env: Record<string, string>;
}

const embedded = async (): Promise<Database> => ({ folder: ({ server }) => server.dataDir, env: {} });

/** Starts a PostgreSQL cluster that the server cannot restart. A supervisor in the test process restarts it instead. */
async function external(): Promise<Database> {
  const folder = await mkdtemp(join(tmpdir(), "mave-external-"));
  const fail = (why: Error) => {
    throw why;
  };
  const postgres = await startEmbeddedPostgres({ folder, log: createLog("silent"), onLost: fail });
  onTestFinished(async () => {
    await postgres.end();
    await removeDataFolder(folder);
  });
  return { folder: () => folder, env: { DATABASE_URL: databaseUrl(postgres.connection) } };
}

describe.each([
  ["an embedded", embedded],
  ["an external", external],
])("%s database that receives SIGINT, SIGQUIT and SIGKILL in turn", (which, prepare) => {
  test("interrupts deliveries only until it is running again", { timeout: 240_000 }, async () => {
    const database = await prepare();
    const scene = await setScene(database.env, ["/healthy", "/flaky"]);
    const load = scene.load({ callers: 2, pause_ms: 100 });
    const outages: string[] = [];
    for (const signal of SIGNALS) {
      await wait(500);
      outages.push(`${signal} ${await restart(database.folder(scene), signal, scene)} ms`);
    }
    await wait(500);
    await load.stop();
    await scene.drained();
    const ledger = await scene.compare(load);
    console.log(
      `Outages of ${which} database: ${outages.join(", ")}; ${ledger.events} events, ${ledger.duplicates.length} twice`,
    );
    expect(ledger.findings).toEqual([]);
    expect(scene.server.process().exitCode).toBeNull();
  });
});

/** Sends a signal to PostgreSQL. @returns the milliseconds until the server is ready with a new postmaster */
async function restart(folder: string, signal: NodeJS.Signals, { server }: Scene): Promise<number> {
  const home = await realpath(join(folder, "postgres"));
  const postmaster = async () =>
    Number.parseInt(await readFile(join(home, "cluster/postmaster.pid"), "utf8").catch(() => "0"), 10);
  const before = await postmaster();
  const begin = performance.now();
  process.kill(before, signal);
  const isBack = async () => {
    const now = await postmaster();
    return now !== 0 && now !== before && (await fetch(`${server.url}/readyz`)).status === 200;
  };
  await expect.poll(isBack, { timeout: 60_000, interval: 20 }).toBe(true);
  return Math.round(performance.now() - begin);
}
