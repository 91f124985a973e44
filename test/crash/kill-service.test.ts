import { readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Ledger } from "./ledger.ts";
import { seeded } from "./load.ts";
import { type Kill, type Losses, losses } from "./losses.ts";
import { FACTOR, type Scene, SEED, setScene, wait } from "./scene.ts";

const KILLS = Math.ceil(10 * FACTOR);

/** What each round kills, in order. `start` means the server while it is starting. */
const ROUNDS = [["service"], ["service", "start"], ["database"], ["service", "start"]] as const;

/** The approximate duration of startup. A kill at a random moment during startup can hit any of its stages. */
const START_MS = 900;

describe("kill -9 of the server and its database under load", () => {
  test("loses no event and repeats only attempts that were in flight", { timeout: 400_000 * FACTOR }, async () => {
    const scene = await setScene();
    const random = seeded(SEED);
    const load = scene.load();
    const kills: Kill[] = [];
    const starts: number[] = [];
    for (let round = 0; kills.length < KILLS; round += 1) {
      await wait(round % LONG_EVERY === 0 ? LONG_MS : 50 + random() * 400);
      for (const what of ROUNDS[round % ROUNDS.length]!) {
        if (what === "start") await startFor(scene, random() * START_MS);
        kills.push(await kill(scene, what === "database" ? "database" : "service"));
      }
      if (hasEnded(scene)) starts.push(await timed(scene.server.start));
    }
    await load.stop();
    await scene.drained();

    const ledger = await scene.compare(load);
    const cost = losses(ledger.received, ledger.unrecorded, kills);
    report(ledger, cost, load.failedTries(), starts);
    expect(ledger.findings).toEqual([]);
    expect(ledger.events).toBeGreaterThan(KILLS);
    expect(cost.findings).toEqual([]);
    // The only deliveries sent twice are those whose success was not recorded.
    expect(ledger.unrecorded.map(({ delivery }) => delivery)).toEqual(expect.arrayContaining(ledger.duplicates));
  });
});

/** Every fifth round lasts long enough to settle far more attempts than can be in flight. */
const LONG_EVERY = 5;
const LONG_MS = 3_000;

async function kill(scene: Scene, what: Kill["what"]): Promise<Kill> {
  const postmaster = what === "database" ? await postmasterOf(scene) : 0;
  if (postmaster === 0) await scene.server.kill();
  else process.kill(postmaster, "SIGKILL");
  await wait(50); // gives the receiver time to read everything sent before the kill
  const over_ms = Date.now();
  if (postmaster !== 0) await databaseIsBack(scene, postmaster);
  return { what, over_ms };
}

/** Starts the server and returns after `ms`, without waiting until it is ready. */
async function startFor({ server }: Scene, ms: number): Promise<void> {
  server.start().catch(() => {}); // fails, because the server is killed before it is ready
  await wait(ms);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await work();
  return Math.round(performance.now() - begin);
}

const hasEnded = ({ server }: Scene): boolean => server.process().signalCode !== null;

/** Returns the postmaster's process id, or 0 if the database is not running. */
const postmasterOf = async ({ server }: Scene): Promise<number> => {
  const home = await realpath(join(server.dataDir, "postgres"));
  return Number.parseInt(await readFile(join(home, "cluster/postmaster.pid"), "utf8").catch(() => "0"), 10);
};

/** Waits until the server has restarted its database. */
async function databaseIsBack(scene: Scene, killed: number): Promise<void> {
  await expect.poll(() => postmasterOf(scene), { timeout: 60_000 }).not.toBe(killed);
  const { server } = scene;
  const readiness = () =>
    fetch(`${server.url}/readyz`).then(
      ({ status }) => status,
      () => `no response; exit code ${server.process().exitCode}, output: ${server.output()}`,
    );
  await expect.poll(readiness, { timeout: 60_000 }).toBe(200);
}

function report(ledger: Ledger, { most, overtaken }: Losses, failedTries: number, starts: number[]): void {
  const sorted = starts.toSorted((a, b) => a - b);
  console.log(
    `${KILLS} kills, seed ${SEED}: ${ledger.events} events, ${ledger.deliveries} deliveries, ` +
      `${ledger.received.length} requests; ${failedTries} API calls repeated, ${ledger.unrecorded.length} attempts lost, ` +
      `${most} by one kill, at most ${overtaken} later ones settled; ${ledger.duplicates.length} deliveries arrived twice; ` +
      `restarts: median ${sorted[Math.floor(sorted.length / 2)]} ms, maximum ${sorted.at(-1)} ms`,
  );
}
