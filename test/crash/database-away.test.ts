import { describe, expect, inject, test } from "vitest";
import { testConnection } from "../support/database.ts";
import { startServer } from "../support/server.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { seeded } from "./load.ts";
import { FACTOR, type Scene, SEED, setScene, wait } from "./scene.ts";

const TIMEOUT_MS = 240_000;
const COMMIT_CUTS = Math.ceil(3 * FACTOR);
/** How long the outage continues after the server has noticed it. In the long tests, this is as long as a lease. */
const BLACK_HOLE_MS = 6_000 * FACTOR;

/** Creates a database behind a proxy that fails on command. */
async function databaseBehindProxy(): Promise<{ url: string; proxy: TcpProxy }> {
  const { host, port } = inject("postgres");
  const { user, database } = await testConnection();
  const proxy = await startTcpProxy({ path: `${host}/.s.PGSQL.${port}` });
  return { url: `postgres://${user}@127.0.0.1:${proxy.port}/${database}`, proxy };
}

async function sceneBehindProxy(): Promise<{ scene: Scene; proxy: TcpProxy }> {
  const { url, proxy } = await databaseBehindProxy();
  const scene = await setScene({ DATABASE_URL: url }, ["/healthy", "/flaky"]);
  return { scene, proxy };
}

const readiness = async ({ server }: Scene): Promise<number> => {
  const response = await fetch(`${server.url}/readyz`);
  await response.body?.cancel();
  return response.status;
};

describe("while the database is unreachable,", () => {
  test("the API returns 503 immediately, and deliveries continue once it is back", {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { scene, proxy } = await sceneBehindProxy();
    const load = scene.load({ callers: 2 });
    for (let cut = 0; cut < 3; cut += 1) {
      await wait(700);
      proxy.cut();
      await expect.poll(() => readiness(scene), { timeout: 10_000 }).toBe(503);
      const begin = Date.now();
      const response = await fetch(`${scene.server.url}/v1/videos`, {
        method: "POST",
        headers: { authorization: `Bearer ${scene.caller.key}`, "content-type": "application/json" },
        body: "{}",
      });
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({ code: "STORE_UNAVAILABLE" });
      expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(Date.now() - begin).toBeLessThan(15_000); // requests must not wait until the database is back
      expect((await fetch(`${scene.server.url}/healthz`)).status).toBe(200);
      proxy.heal();
      await expect.poll(() => readiness(scene), { timeout: 20_000 }).toBe(200);
    }
    await load.stop();
    await scene.drained();
    const ledger = await scene.compare(load);
    expect(ledger.findings).toEqual([]);
    expect(scene.server.process().exitCode).toBeNull();
    proxy.close();
  });
});

describe("connections that are cut just before or after a commit", () => {
  test("cause no acknowledged change to be lost or made twice", { timeout: TIMEOUT_MS }, async () => {
    const { scene, proxy } = await sceneBehindProxy();
    const random = seeded(SEED);
    const cuts = { before: 0, after: 0 };
    proxy.inspect = (bytes) => {
      if (!bytes.includes("commit") || random() > 0.1) return "pass";
      const kind = random() < 0.5 ? "before" : "after";
      cuts[kind] += 1;
      return `cut ${kind}`;
    };
    const load = scene.load({ callers: 4, pause_ms: 30 });
    await expect
      .poll(() => Math.min(cuts.before, cuts.after), { timeout: 100_000, interval: 100 })
      .toBeGreaterThanOrEqual(COMMIT_CUTS);
    proxy.inspect = undefined;
    await load.stop();
    await scene.drained();

    const ledger = await scene.compare(load);
    const { events, duplicates } = ledger;
    console.log(
      `${cuts.before} cuts before a commit, ${cuts.after} after: ${events} events, ${duplicates.length} twice`,
    );
    expect(ledger.findings).toEqual([]);
    // Callers retried each call with the same Idempotency-Key until it succeeded, and no retry created a second video.
    expect(events).toBe(load.acknowledged.created.size + load.acknowledged.deleted.size);
    proxy.close();
  });
});

describe.each(["between statements", "in the middle of a commit"])("a database outage that starts %s", (when) => {
  test("is detected, and deliveries continue once the database is back", { timeout: TIMEOUT_MS }, async () => {
    const { scene, proxy } = await sceneBehindProxy();
    const load = scene.load({ callers: 2 });
    await wait(500);
    if (when === "between statements") proxy.blackHole();
    else
      proxy.inspect = (bytes) => {
        if (bytes.includes("commit")) queueMicrotask(() => proxy.blackHole());
        return "pass";
      };
    await expect.poll(() => readiness(scene), { timeout: 30_000, interval: 500 }).toBe(503);
    await wait(BLACK_HOLE_MS);
    expect((await fetch(`${scene.server.url}/healthz`)).status).toBe(200);
    proxy.inspect = undefined;
    proxy.heal();
    const healed_ms = performance.now();
    await expect.poll(() => readiness(scene), { timeout: 30_000 }).toBe(200);
    const delivered = scene.receiver.read().length;
    await expect.poll(() => scene.receiver.read().length, { timeout: 30_000 }).toBeGreaterThan(delivered);
    console.log(`Vanished ${when}: delivering again ${Math.round(performance.now() - healed_ms)} ms after its return`);
    await load.stop();
    await scene.drained();
    expect((await scene.compare(load)).findings).toEqual([]);
    proxy.close();
  });
});

describe("a server that loses its database connection while printing the sign-in link", () => {
  test("keeps running and explains how to get a link", { timeout: TIMEOUT_MS }, async () => {
    const { url, proxy } = await databaseBehindProxy();
    let cuts = 0;
    proxy.inspect = (bytes) => {
      if (cuts > 0 || !bytes.includes("insert into sign_in_links")) return "pass";
      cuts += 1;
      return "cut before";
    };
    const server = await startServer({ DATABASE_URL: url });
    await expect.poll(() => server.output()).toContain(`Mave is ready: ${server.url}/dashboard/\n`);
    expect(cuts).toBe(1);
    expect(server.output()).toContain("Failed to create a sign-in link; run npm run -s mave -- admin link");
    expect(await server.stop()).toBe(0);
    await server.remove();
    proxy.close();
  });
});
