import { mkdtemp, readFile, realpath } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createLog } from "../../server/src/kernel/log.ts";
import { startEmbeddedPostgres } from "../../server/src/store/embedded-postgres.ts";
import { databaseUrl } from "../support/database.ts";
import { removeDataFolder } from "../support/server.ts";
import { pass, type Scene, setScene } from "./scene.ts";

/** PostgreSQL's fast and immediate shutdown, and none at all. */
const ENDS = ["SIGINT", "SIGQUIT", "SIGKILL"] as const;

interface Database {
  /** Whose data folder it lies in. */
  folder(scene: Scene): string;
  env: Record<string, string>;
}

const ofItsOwn = async (): Promise<Database> => ({ folder: ({ server }) => server.dataDir, env: {} });

/** A cluster that the service did not start and cannot start again: the test's watcher does that. */
async function outside(): Promise<Database> {
  const folder = await mkdtemp(join(tmpdir(), "mave-outside-"));
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

test.each([
  ["of its own", ofItsOwn],
  ["outside", outside],
])(
  "a database %s restarted fast, immediately and after a kill: deliveries go on, and the ledger agrees",
  {
    timeout: 240_000,
  },
  async (which, prepare) => {
    const database = await prepare();
    const scene = await setScene(database.env, ["/healthy", "/flaky"]);
    const load = scene.load({ callers: 2, pause_ms: 100 });
    const away: string[] = [];
    for (const end of ENDS) {
      await pass(500);
      away.push(`${end} ${await restart(database.folder(scene), end, scene)} ms`);
    }
    await pass(500);
    await load.stop();
    await scene.drained();
    const ledger = await scene.compare(load);
    console.log(
      `A database ${which} was away: ${away.join(", ")}; ${ledger.events} events, ${ledger.duplicates.length} twice`,
    );
    expect(ledger.findings).toEqual([]);
    expect(scene.server.process().exitCode).toBeNull();
  },
);

/** @returns milliseconds from the signal until the service is ready on a new postmaster */
async function restart(folder: string, signal: NodeJS.Signals, { server }: Scene): Promise<number> {
  const home = await realpath(join(folder, "postgres"));
  const postmaster = async () =>
    Number.parseInt(await readFile(join(home, "cluster/postmaster.pid"), "utf8").catch(() => "0"), 10);
  const before = await postmaster();
  const began = performance.now();
  process.kill(before, signal);
  const back = async () => {
    const now = await postmaster();
    return now !== 0 && now !== before && (await fetch(`${server.url}/readyz`)).status === 200;
  };
  await expect.poll(back, { timeout: 60_000, interval: 20 }).toBe(true);
  return Math.round(performance.now() - began);
}
