import { expect, test } from "vitest";
import { seeded } from "./load.ts";
import { FACTOR, pass, SEED, setScene } from "./scene.ts";

const STOPS = Math.ceil(20 * FACTOR);

test("SIGTERM under load, again and again: each drains, and nothing arrives twice", {
  timeout: 600_000 * FACTOR,
}, async () => {
  const scene = await setScene();
  const random = seeded(SEED);
  const load = scene.load();
  for (let stop = 0; stop < STOPS; stop += 1) {
    await pass(100 + random() * 200);
    const began = Date.now();
    expect(await scene.server.stop()).toBe(0);
    expect(Date.now() - began).toBeLessThan(20_000);
    await scene.server.start();
  }
  await load.stop();
  await scene.drained();

  const ledger = await scene.compare(load);
  console.log(
    `${STOPS} stops, seed ${SEED}: ${ledger.events} events, ${ledger.received.length} requests, ${ledger.duplicates.length} twice`,
  );
  expect(ledger.findings).toEqual([]);
  expect(ledger.unrecorded).toEqual([]);
  expect(ledger.duplicates).toEqual([]);
});
