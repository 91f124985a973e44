import { describe, expect, test } from "vitest";
import { seeded } from "./load.ts";
import { FACTOR, SEED, setScene, wait } from "./scene.ts";

const STOPS = Math.ceil(4 * FACTOR);

describe("SIGTERM under load", () => {
  test("stops the server within 20 s each time, and nothing arrives twice", { timeout: 300_000 * FACTOR }, async () => {
    const scene = await setScene();
    const random = seeded(SEED);
    const load = scene.load();
    for (let stop = 0; stop < STOPS; stop += 1) {
      await wait(100 + random() * 200);
      const begin = Date.now();
      expect(await scene.server.stop()).toBe(0);
      expect(Date.now() - begin).toBeLessThan(20_000);
      await scene.server.start();
    }
    await load.stop();
    await scene.drained();

    const ledger = await scene.compare(load);
    const { events, received, duplicates } = ledger;
    console.log(
      `${STOPS} stops, seed ${SEED}: ${events} events, ${received.length} requests, ${duplicates.length} twice`,
    );
    expect(ledger.findings).toEqual([]);
    expect(ledger.unrecorded).toEqual([]);
    expect(duplicates).toEqual([]);
  });
});
