import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const READY_TIMEOUT_MS = 60_000;
const POLL_MS = 50;
const MAIN = fileURLToPath(new URL("../../server/src/main.ts", import.meta.url));
const ADMIN = fileURLToPath(new URL("../../server/src/admin/cli.ts", import.meta.url));

/** A real Mave server in a child process. Its data folder survives restarts. */
export interface Mave {
  url: string;
  /** Sends SIGKILL to simulate a crash. */
  kill(): Promise<void>;
  /** Sends SIGTERM, so that the server finishes requests in flight before it exits. */
  stop(): Promise<void>;
}

/** The data folder and the port, which stay the same when the server restarts. */
export interface Place {
  dataDir: string;
  port: number;
}

/** Starts a server and waits until /readyz returns 200. */
export async function startMave(place: Place): Promise<Mave> {
  const url = `http://localhost:${place.port}`;
  const child = node(MAIN, [], place);
  const ended = once(child, "exit");
  const output = collect(child);
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (!(await isReady(url))) {
    if (child.exitCode !== null) throw new Error(`The server exited before it was ready:\n${output()}`);
    if (performance.now() > deadline) throw new Error(`The server was not ready within 60 s:\n${output()}`);
    await wait(POLL_MS);
  }
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
  };
  return { url, kill: () => end("SIGKILL"), stop: () => end("SIGTERM") };
}

/** Creates an API key with `mave admin`. @returns the key */
export async function createKey(place: Place): Promise<string> {
  const child = node(ADMIN, ["admin", "key", "create", "--name", "demo", "--scope", "write"], place);
  const output = collect(child);
  const [code] = await once(child, "close");
  const key = output().trim();
  if (code !== 0) throw new Error(`Failed to create an API key:\n${key}`);
  return key;
}

/** Finds a port that is currently free. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}

function node(file: string, args: string[], { dataDir, port }: Place): ChildProcess {
  return spawn(process.execPath, ["--conditions=source", file, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      PORT: String(port),
      MAVE_DATA_DIR: dataDir,
      LOG_LEVEL: "warn",
    },
  });
}

function collect(child: ChildProcess): () => string {
  let text = "";
  const add = (chunk: Buffer) => {
    text = (text + chunk).slice(-4_000);
  };
  child.stdout?.on("data", add);
  child.stderr?.on("data", add);
  return () => text;
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`)).ok;
  } catch {
    return false; // not listening yet
  }
}
