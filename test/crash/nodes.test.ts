import { describe, expect, test } from "vitest";
import { FACTOR, wait } from "./scene.ts";
import {
  expectNoLoss,
  freeze,
  type Leased,
  livingNodes,
  sentByOther,
  startTwoNodes,
  type TwoNodes,
} from "./two-nodes.ts";

const KILLS = 2 * Math.ceil(FACTOR / 2);

/** How long a node is frozen. This is shorter than a lease; freeze.long.test.ts tests longer freezes. */
const FREEZE_MS = 2_000;

/** The minimum time left on a delivery's old lease when another node sends the delivery. */
const LEASE_LEFT_MS = 5_000;

describe("two nodes under load", () => {
  test("take over from each other when killed, with nothing lost, duplicated or out of order", {
    timeout: 240_000 * FACTOR,
  }, async () => {
    const two = await startTwoNodes();
    const load = two.scene.load({ callers: 3, pause_ms: 200 });
    const [leases, takeovers]: [Leased[], number[]] = [[], []];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const own = await freeze(two, kill % 2);
      takeovers.push(await killUntilTakenOver(two, kill % 2, own));
      leases.push(...own);
      expect(await livingNodes(two.db)).toBe(2);
    }
    await load.stop();
    await two.scene.drained();
    const what = `${KILLS} kills of two nodes; leased deliveries arrived after ${takeovers.join(", ")} ms`;
    expectNoLoss(what, await two.scene.compare(load), leases);
  });

  test("keep their leases when briefly frozen, with nothing lost, duplicated or out of order", {
    timeout: 240_000,
  }, async () => {
    const two = await startTwoNodes();
    const load = two.scene.load({ callers: 3, pause_ms: 200 });
    const leases: Leased[] = [];
    for (const [index, node] of two.nodes.entries()) {
      leases.push(...(await freeze(two, index)));
      await wait(FREEZE_MS);
      expect(await livingNodes(two.db)).toBe(2); // a frozen node still holds its lock, so it is not presumed dead
      node.process().kill("SIGCONT");
      two.scene.balanced.push(node);
    }
    await load.stop();
    await two.scene.drained();
    expectNoLoss(`Two freezes of ${FREEZE_MS} ms`, await two.scene.compare(load), leases);
  });
});

/**
 * Kills a node, waits until its deliveries have been sent by the other node, and restarts it. The killed node's leases
 * would not expire for about half a minute, so deliveries that arrive sooner were released by the takeover. The
 * takeover usually takes 2 s, and at most 8 s on a heavily loaded machine.
 * @returns the milliseconds from the kill until the first of these deliveries arrived
 */
async function killUntilTakenOver({ scene, nodes, db }: TwoNodes, index: number, leases: Leased[]): Promise<number> {
  const node = nodes[index]!;
  const killed_ms = Date.now();
  await node.kill();
  await expect.poll(() => livingNodes(db), { timeout: 120_000, interval: 10 }).toBe(1);
  const first = Math.min(...(await sentByOther(scene, leases)));
  expect(Math.min(...leases.map(({ until_ms }) => until_ms)) - first).toBeGreaterThan(LEASE_LEFT_MS);
  await node.start();
  scene.balanced.push(node);
  return first - killed_ms;
}
