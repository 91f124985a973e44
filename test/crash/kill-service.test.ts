import { readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LIMITS } from "../../server/src/limits.ts";
import type { Ledger } from "./ledger.ts";
import { seeded } from "./load.ts";
import { FACTOR, PATHS, pass, type Scene, SEED, setScene } from "./scene.ts";

const KILLS = Math.ceil(30 * FACTOR);

test(`${KILLS} kills of the service and its database under load lose nothing and repeat only what was in flight`, {
  timeout: 300_000 * FACTOR,
}, async () => {
  const scene = await setScene();
  const random = seeded(SEED);
  const load = scene.load();
  const kills: number[] = [];
  const starts: number[] = [];
  for (let kill = 1; kill <= KILLS; kill += 1) {
    await pass(50 + random() * 700);
    kills.push(Date.now());
    const began = Date.now();
    if (kill % 6 === 0) await killDatabase(scene);
    else await scene.server.kill().then(() => scene.server.start());
    starts.push(Date.now() - began);
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

/** An attempt's own time, and what its settlement may take on a busy machine. */
const IN_FLIGHT_MS = 3_000;
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
  const readiness = () => fetch(`${server.url}/readyz`).then(({ status }) => status);
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
