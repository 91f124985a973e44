import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { findEmbeddedPostgres } from "../../server/src/store/embedded-postgres.ts";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const READY_MS = 30_000;

export interface TestServer {
  url: string;
  dataDir: string;
  /** Returns the standard output and standard error so far. */
  output(): string;
  /** Creates an API key with `mave admin key create`. */
  key(scope?: "read" | "write"): Promise<string>;
  /** Sends SIGTERM and waits for the process to exit. @returns the exit code */
  stop(): Promise<number | null>;
  /** Sends SIGKILL to the server. Its database keeps running. */
  kill(): Promise<void>;
  /** Restarts the server with the same folder and port, and waits until it is ready. */
  start(): Promise<void>;
  process(): ChildProcess;
  /** Stops the server and its database, then removes the data folder. */
  remove(): Promise<void>;
}

const METRICS_TOKEN = "test-metrics-token";

/** Reads the metrics of a server that `startServer` started. */
export async function scrape({ url }: Pick<TestServer, "url">): Promise<string> {
  return (await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${METRICS_TOKEN}` } })).text();
}

/**
 * Starts the real server as a process with a temporary data folder and a free port, and waits until it is ready.
 * @param root the source tree of the version to run
 */
export async function startServer(env: Record<string, string> = {}, root = ROOT): Promise<TestServer> {
  const dataDir = env.MAVE_DATA_DIR ?? (await mkdtemp(join(tmpdir(), "mave-server-")));
  const port = env.PORT ?? String(await freePort());
  const environment = {
    ...cleanEnvironment(),
    LOG_LEVEL: "warn",
    MAVE_METRICS_TOKEN: METRICS_TOKEN,
    MAVE_DATA_DIR: dataDir,
    PORT: port,
    ...env,
  };
  const url = `http://localhost:${port}`;
  let child: ChildProcess;
  let output = "";

  const start = async (): Promise<void> => {
    child = runNode(["server/src/main.ts"], environment, root);
    for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (chunk) => (output += chunk));
    await ready(url, child, () => output);
  };
  const end = async (signal: "SIGTERM" | "SIGKILL"): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exit = once(child, "exit");
    child.kill(signal);
    return (await exit)[0];
  };

  const server: TestServer = {
    url,
    dataDir,
    output: () => output,
    key: async (scope = "write") =>
      (await runAdmin(["key", "create", "--name", "test", "--scope", scope], environment)).stdout.trim(),
    stop: () => end("SIGTERM"),
    kill: async () => void (await end("SIGKILL")),
    start,
    process: () => child,
    async remove() {
      await end("SIGTERM");
      await removeDataFolder(dataDir);
    },
  };
  await start().catch(async (error) => {
    await server.remove();
    throw error;
  });
  return server;
}

/** Runs `mave admin …`. */
export async function runAdmin(arguments_: string[], env: Record<string, string>): Promise<Finished> {
  return finished(runNode(["server/src/admin/cli.ts", "admin", ...arguments_], { ...cleanEnvironment(), ...env }));
}

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

export async function finished(child: ChildProcess): Promise<Finished> {
  let stdout = "";
  let stderr = "";
  child.stdout!.on("data", (chunk) => (stdout += chunk));
  child.stderr!.on("data", (chunk) => (stderr += chunk));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

/** Runs a program from this repository with the current version of Node and the launcher's compile cache. */
export function runNode(arguments_: string[], env: NodeJS.ProcessEnv, root = ROOT): ChildProcess {
  return spawn(process.execPath, ["--conditions=source", ...arguments_], {
    cwd: root,
    env: { NODE_COMPILE_CACHE: join(ROOT, ".cache/compiled"), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Returns the environment without Mave's settings. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const settings = /^(?:MAVE_.*|PORT|HOST|DATABASE_URL|SMTP_URL|LOG_LEVEL|NODE_ENV|OTEL_.*|VITEST.*)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !settings.test(name)));
}

/** Removes a data folder. If a killed server left its database running, stops the database first. */
export async function removeDataFolder(dataDir: string): Promise<void> {
  const home = await realpath(join(dataDir, "postgres")).catch(() => null);
  if (home !== null) await stopDatabase(dataDir, home);
  if (home !== null) await rm(home, { recursive: true, force: true });
  await rm(dataDir, { recursive: true, force: true });
}

async function stopDatabase(dataDir: string, home: string): Promise<void> {
  if ((await findEmbeddedPostgres(dataDir)) === null) return;
  const file = join(home, "cluster/postmaster.pid");
  process.kill(Number.parseInt(await readFile(file, "utf8"), 10), "SIGINT");
  while (
    await readFile(file).then(
      () => true,
      () => false,
    )
  )
    await pause(20);
}

async function ready(url: string, child: ChildProcess, output: () => string): Promise<void> {
  for (const deadline = Date.now() + READY_MS; Date.now() < deadline; await pause(20)) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`The server exited:\n${output()}`);
    const response = await fetch(`${url}/readyz`).catch(() => null);
    await response?.body?.cancel();
    if (response?.status === 200) return;
  }
  child.kill("SIGKILL");
  throw new Error(`The server was not ready within ${READY_MS} ms:\n${output()}`);
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}
