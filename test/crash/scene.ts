import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { startServer, type TestServer } from "../support/server.ts";
import { all, type Caller, call } from "./api.ts";
import { compare, type Ledger } from "./ledger.ts";
import { type Load, startLoad } from "./load.ts";
import { type LoggingReceiver, startLoggingReceiver } from "./receiver.ts";

/** Retries so quick that the end is seen, and so many that no manner of the receiver uses them up. */
export const QUICK_RETRIES = { MAVE_RETRY_SCHEDULE: "0,0,1,1,1,1,2,2,2,2,2,2", MAVE_ATTEMPT_TIMEOUT_MS: "3000" };

/** How much of a test is run: 1 in CI, more by `CRASH_FACTOR=10 npx vitest run test/crash`. */
export const FACTOR = Number(process.env.CRASH_FACTOR ?? 1);

/** The seed of every random choice, printed where a test fails: `CRASH_SEED=… npx vitest run test/crash` repeats it. */
export const SEED = Number(process.env.CRASH_SEED ?? 1);

export interface Scene {
  server: TestServer;
  /** The nodes that callers are led to, in turn, as by a load balancer; `server` alone at first. */
  doors: TestServer[];
  receiver: LoggingReceiver;
  caller: Caller;
  webhooks: Map<string, string>;
  /** Adds a webhook for each of these manners. */
  register(paths: string[]): Promise<void>;
  load(options?: Parameters<typeof startLoad>[1]): Load;
  /** Waits until nothing is open any more. */
  drained(timeout_ms?: number): Promise<void>;
  compare(load: Load): Promise<Ledger>;
}

export const PATHS = ["/healthy", "/flaky", "/slow", "/rude", "/hostile"];

/** A real server, and a webhook for each manner of a receiver that is nobody's but the test's. Cleared away after the test. */
export async function setScene(env: Record<string, string> = {}, paths = PATHS): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), "mave-crash-"));
  const receiver = await startLoggingReceiver(join(folder, "received.jsonl"));
  onTestFinished(async () => {
    await receiver.close();
    await rm(folder, { recursive: true, force: true });
  });
  const server = await startServer({ ...QUICK_RETRIES, ...env });
  onTestFinished(() => server.remove());
  const doors = [server];
  let turn = 0;
  const caller = { url: () => doors[turn++ % doors.length]!.url, key: await server.key() };
  let loads = 0;
  const scene: Scene = {
    server,
    doors,
    receiver,
    caller,
    webhooks: new Map(),
    register: (paths) => register(scene, paths),
    load: (options) => startLoad(caller, { seed: SEED * 10 + loads++, ...options }),
    drained: (timeout_ms = 60_000) => drained(caller, timeout_ms),
    compare: ({ acknowledged }) => compare({ ...scene, acknowledged }),
  };
  await scene.register(paths);
  return scene;
}

async function register({ caller, receiver, webhooks }: Scene, paths: string[]): Promise<void> {
  for (const path of paths) {
    const events = ["video.created", "video.deleted"];
    const made = await call<{ id: string; secret: string }>(caller, "POST", "/v1/webhooks", {
      url: receiver.url(path),
      events,
    });
    expect(made.status, JSON.stringify(made.body)).toBe(201);
    webhooks.set(path, made.body.id);
    receiver.secrets.set(path, made.body.secret);
  }
}

export async function drained(caller: Caller, timeout_ms: number): Promise<void> {
  const open = () => all<{ id: string; status: string }>(caller, "/v1/deliveries?status=pending");
  await expect.poll(async () => (await open()).length, { timeout: timeout_ms, interval: 200 }).toBe(0);
}

/** Waits a while; for moments that are to be random, not for something to be ready. */
export const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
