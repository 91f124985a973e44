import { describe, expect, test } from "vitest";
import { LIMITS } from "../../server/src/kernel/limits.ts";
import { wait } from "./scene.ts";
import { expectNoLoss, freeze, type Leased, livingNodes, sentByOther, startTwoNodes } from "./two-nodes.ts";

/** Long enough that a frozen node's leases expire and other nodes claim its deliveries. */
const FREEZE_MS = LIMITS.LEASE_MS + 5_000;

describe("two nodes frozen in turn for longer than a lease", () => {
  test("send each other's deliveries, with nothing lost or out of order", { timeout: 400_000 }, async () => {
    const two = await startTwoNodes();
    const { scene, nodes, db } = two;
    const load = scene.load({ callers: 3, pause_ms: 400 });
    const [leases, after]: [Leased[], number[]] = [[], []];
    for (const [index, node] of nodes.entries()) {
      const own = await freeze(two, index);
      const begin_ms = Date.now();
      try {
        after.push(Math.max(...(await sentByOther(scene, own))) - begin_ms);
        await wait(Math.max(0, begin_ms + FREEZE_MS - Date.now()));
        expect(await livingNodes(db)).toBe(2); // a frozen node still holds its lock, so it is not presumed dead
      } finally {
        node.process().kill("SIGCONT");
      }
      scene.balanced.push(node);
      leases.push(...own);
    }
    await wait(500);
    await load.stop();
    await scene.drained();
    const what = `Two freezes; all leased deliveries arrived after ${after.join(", ")} ms`;
    expectNoLoss(what, await scene.compare(load), leases);
  });
});
