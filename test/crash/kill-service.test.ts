import { readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Ledger } from "./ledger.ts";
import { seeded } from "./load.ts";
import { type Kill, type Losses, losses } from "./losses.ts";
import { FACTOR, pass, type Scene, SEED, setScene } from "./scene.ts";

const KILLS = Math.ceil(50 * FACTOR);

/** What is killed in turn: the service at work, also in the middle of its next start, and the database under it. */
const ROUNDS = [["service"], ["service", "start"], ["database"], ["service", "start"]] as const;

/** About what a start takes: one that is killed within it may have got anywhere. */
const START_MS = 900;

test("kills of the service and its database under load lose nothing and repeat only what was in flight", {
  timeout: 600_000 * FACTOR,
}, async () => {
  const scene = await setScene();
  const random = seeded(SEED);
  const load = scene.load();
  const kills: Kill[] = [];
  const starts: number[] = [];
  for (let round = 0; kills.length < KILLS; round += 1) {
    await pass(round % LONG_EVERY === 0 ? LONG_MS : 50 + random() * 400);
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
  report(ledger, cost, load.unanswered(), starts);
  expect(ledger.findings).toEqual([]);
  expect(ledger.events).toBeGreaterThan(KILLS);
  expect(cost.findings).toEqual([]);
  // What was answered 2xx was done again only where that was never written down.
  expect(lostOf(ledger)).toEqual(expect.arrayContaining(ledger.duplicates));
});

const lostOf = ({ unrecorded }: Ledger): string[] => unrecorded.map(({ delivery }) => delivery);

/** Now and then it lives long enough to settle far more than can be in flight. */
const LONG_EVERY = 5;
const LONG_MS = 3_000;

async function kill(scene: Scene, what: Kill["what"]): Promise<Kill> {
  const postmaster = what === "database" ? await postmasterOf(scene) : 0;
  if (postmaster === 0) await scene.server.kill();
  else process.kill(postmaster, "SIGKILL");
  await pass(50); // what had been sent by then is read
  const over_ms = Date.now();
  if (postmaster !== 0) await databaseIsBack(scene, postmaster);
  return { what, over_ms };
}

/** Begins a start, and comes back in its middle. */
async function startFor({ server }: Scene, ms: number): Promise<void> {
  server.start().catch(() => {}); // it is killed before it is ready
  await pass(ms);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return Math.round(performance.now() - began);
}

const hasEnded = ({ server }: Scene): boolean => server.process().signalCode !== null;

const postmasterOf = async ({ server }: Scene): Promise<number> => {
  const home = await realpath(join(server.dataDir, "postgres"));
  return Number.parseInt(await readFile(join(home, "cluster/postmaster.pid"), "utf8").catch(() => "0"), 10); // none: away
};

/** Waits until the service has started its database again. */
async function databaseIsBack(scene: Scene, killed: number): Promise<void> {
  await expect.poll(() => postmasterOf(scene), { timeout: 60_000 }).not.toBe(killed);
  const { server } = scene;
  const readiness = () =>
    fetch(`${server.url}/readyz`).then(
      ({ status }) => status,
      () => `it does not answer; it has ended by ${server.process().exitCode}, and said: ${server.output()}`,
    );
  await expect.poll(readiness, { timeout: 60_000 }).toBe(200);
}

function report(ledger: Ledger, { most, overtaken }: Losses, unanswered: number, starts: number[]): void {
  const middle = starts.sort((one, other) => one - other)[Math.floor(starts.length / 2)];
  console.log(
    `${KILLS} kills, seed ${SEED}: ${ledger.events} events, ${ledger.deliveries} deliveries, ${ledger.received.length} requests; ` +
      `${unanswered} calls unanswered and repeated, ${ledger.unrecorded.length} attempts lost with their process, ${most} by one kill, ` +
      `at most ${overtaken} later ones settled; ${ledger.duplicates.length} deliveries arrived twice; started again in ${middle} ms (median), ${starts.at(-1)} ms at most`,
  );
}
