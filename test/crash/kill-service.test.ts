import { readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LIMITS } from "../../server/src/limits.ts";
import type { Ledger } from "./ledger.ts";
import { seeded } from "./load.ts";
import { FACTOR, PATHS, pass, type Scene, SEED, setScene } from "./scene.ts";

const KILLS = Math.ceil(50 * FACTOR);

/** What is killed in turn: the service at work, also in the middle of its next start, and the database under it. */
const ROUNDS = [["service"], ["service", "start"], ["database"], ["service", "start"]] as const;

/** About what a start takes: one that is killed within it may have got anywhere. */
const START_MS = 900;

test(`${KILLS} kills of the service and its database under load lose nothing and repeat only what was in flight`, {
  timeout: 600_000 * FACTOR,
}, async () => {
  const scene = await setScene();
  const random = seeded(SEED);
  const load = scene.load();
  const kills: number[] = [];
  const starts: number[] = [];
  for (let round = 0; kills.length < KILLS; round += 1) {
    await pass(50 + random() * 400);
    for (const what of ROUNDS[round % ROUNDS.length]!) {
      if (what === "start") await startFor(scene, random() * START_MS);
      kills.push(Date.now());
      if (what === "database") await killDatabase(scene);
      else await scene.server.kill();
    }
    if (hasEnded(scene)) starts.push(await timed(scene.server.start));
  }
  await load.stop();
  await scene.drained();

  const ledger = await scene.compare(load);
  report(ledger, kills.length, load.unanswered(), starts);
  expect(ledger.findings).toEqual([]);
  expect(ledger.events).toBeGreaterThan(KILLS);
  expect(ledger.duplicates).toBeLessThanOrEqual(kills.length * PATHS.length * LIMITS.WEBHOOK_IN_FLIGHT_MAX);
  expect(ledger.duplicates).toBeLessThanOrEqual(ledger.unrecorded.length);
  // What was answered and yet done again was under way when a kill came, never at any other time.
  for (const { at_ms, delivery } of ledger.unrecorded)
    expect(
      kills.some((kill) => at_ms > kill - IN_FLIGHT_MS && at_ms < kill + AFTER_MS),
      `delivery ${delivery}`,
    ).toBe(true);
});

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

/** An attempt's own time, and what its settlement may take on a machine that is busy with starts. */
const IN_FLIGHT_MS = 15_000;
/** A database that was killed lets the service live a little longer. */
const AFTER_MS = 3_000;

/** Waits until the service has started its database again. */
async function killDatabase({ server }: Scene): Promise<void> {
  const home = await realpath(join(server.dataDir, "postgres"));
  const postmaster = async () =>
    Number.parseInt(await readFile(join(home, "cluster/postmaster.pid"), "utf8").catch(() => "0"), 10);
  const killed = await postmaster();
  process.kill(killed, "SIGKILL");
  await expect.poll(postmaster, { timeout: 60_000 }).not.toBe(killed);
  const readiness = () =>
    fetch(`${server.url}/readyz`).then(
      ({ status }) => status,
      () => `it does not answer; it has ended by ${server.process().exitCode}, and said: ${server.output()}`,
    );
  await expect.poll(readiness, { timeout: 60_000 }).toBe(200);
}

function report(ledger: Ledger, kills: number, unanswered: number, starts: number[]): void {
  const middle = starts.sort((one, other) => one - other)[Math.floor(starts.length / 2)];
  console.log(
    `${kills} kills, seed ${SEED}: ${ledger.events} events, ${ledger.deliveries} deliveries, ${ledger.requests} requests; ` +
      `${unanswered} calls unanswered and repeated, ${ledger.unrecorded.length} attempts lost with their process, ` +
      `${ledger.duplicates} deliveries arrived twice; started again in ${middle} ms (median), ${starts.at(-1)} ms at most`,
  );
}
