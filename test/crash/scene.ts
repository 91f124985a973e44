import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { startServer, type TestServer } from "../support/server.ts";
import { all, type Caller, call } from "./caller.ts";
import { compare, type Ledger } from "./ledger.ts";
import { type Load, startLoad } from "./load.ts";
import { type LoggingReceiver, startLoggingReceiver } from "./logging-receiver.ts";

/**
 * A retry schedule with short delays, so that tests can reach the last retry, and with more retries than any of the
 * receiver's paths requires.
 */
export const QUICK_RETRIES = { MAVE_RETRY_SCHEDULE: "0,0,1,1,1,1,2,2,2,2,2,2", MAVE_ATTEMPT_TIMEOUT_MS: "3000" };

/** Scales the number of kills and the length of waits: 1 in `npm test`, 5 in `npm run test:long`. */
export const FACTOR = Number(process.env.CRASH_FACTOR ?? 1);

/** The seed for all random choices. Each test prints it. To reproduce a run, set CRASH_SEED. */
export const SEED = Number(process.env.CRASH_SEED ?? 1);

export interface Scene {
  server: TestServer;
  /** The nodes that callers use in turn, as behind a load balancer. Initially only `server`. */
  balanced: TestServer[];
  receiver: LoggingReceiver;
  caller: Caller;
  /** Webhook ids, keyed by the receiver's path. */
  webhooks: Map<string, string>;
  /** Registers a webhook for each path. */
  register(paths: string[]): Promise<void>;
  load(options?: Parameters<typeof startLoad>[1]): Load;
  /** Waits until no delivery is pending. */
  drained(timeout_ms?: number): Promise<void>;
  compare(load: Load): Promise<Ledger>;
}

export const PATHS = ["/healthy", "/flaky", "/slow", "/rude", "/hostile"];

/** Starts a real server and a receiver, and registers a webhook for each path. Everything is removed after the test. */
export async function setScene(env: Record<string, string> = {}, paths = PATHS): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), "mave-crash-"));
  const receiver = await startLoggingReceiver(join(folder, "received.jsonl"));
  onTestFinished(async () => {
    await receiver.close();
    await rm(folder, { recursive: true, force: true });
  });
  const server = await startServer({ ...QUICK_RETRIES, ...env });
  onTestFinished(() => server.remove());
  const balanced = [server];
  let turn = 0;
  const caller = { url: () => balanced[turn++ % balanced.length]!.url, key: await server.key() };
  let loads = 0;
  const scene: Scene = {
    server,
    balanced,
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
  const events = ["video.created", "video.deleted"];
  for (const path of paths) {
    const input = { url: receiver.url(path), events };
    const { status, body } = await call<{ id: string; secret: string }>(caller, "POST", "/v1/webhooks", input);
    expect(status, JSON.stringify(body)).toBe(201);
    webhooks.set(path, body.id);
    receiver.secrets.set(path, body.secret);
  }
}

async function drained(caller: Caller, timeout: number): Promise<void> {
  const pending = () => all(caller, "/v1/deliveries?status=pending");
  await expect.poll(async () => (await pending()).length, { timeout, interval: 200 }).toBe(0);
}

/**
 * Waits for a fixed time. Use it to kill a process at a random moment, or to test the duration itself. To wait until
 * something is ready, poll instead.
 */
export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
