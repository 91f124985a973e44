/**
 * Measures the time from `git clone`, with empty caches, until the server is ready and the first webhook is verified.
 */
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { verify } from "@mave/webhooks";
import { cleanEnvironment, freePort, ROOT, removeDataFolder } from "../test/support/server.ts";
import { call } from "./lib/client.ts";
import { report, seconds } from "./lib/report.ts";
import { startSink } from "./lib/sink.ts";

const run = promisify(execFile);
const READY_MAX_MS = 600_000;

const folder = await mkdtemp(join(tmpdir(), "mave-clone-"));
const clone = join(folder, "mave");
const port = String(await freePort());
const url = `http://localhost:${port}`;
const env = { ...cleanEnvironment(), PORT: port, npm_config_cache: join(folder, "npm-cache") };

/** Runs `npm start` in the clone and waits until the server is ready. */
async function start() {
  const child = spawn("npm", ["start"], { cwd: clone, env, stdio: ["ignore", "inherit", "inherit"], detached: true });
  for (const deadline = Date.now() + READY_MAX_MS; Date.now() < deadline && child.exitCode === null; await pause(20)) {
    const response = await fetch(`${url}/readyz`).catch(() => null);
    await response?.body?.cancel();
    if (response?.ok) return child;
  }
  throw new Error("The server did not become ready");
}

async function stop(child: Awaited<ReturnType<typeof start>>) {
  process.kill(-child.pid!, "SIGTERM");
  while (isAlive(-child.pid!)) await pause(50); // npm exits first, then the database, then the server
}

function isAlive(group: number): boolean {
  try {
    return process.kill(group, 0);
  } catch {
    return false;
  }
}

const begin = performance.now();
await run("git", ["clone", "--quiet", "--no-hardlinks", ROOT, clone]);
let server = await start();
const ready = performance.now() - begin;

let secret = "";
let arrived = (_duration_ms: number) => {};
const first = new Promise<number>((resolve) => (arrived = resolve));
const sink = await startSink(async (body, headers) => {
  await verify(body, headers, secret);
  arrived(performance.now() - begin);
});
const admin = ["run", "-s", "mave", "--", "admin", "key", "create", "--name", "bench", "--scope", "write"];
const key = (await run("npm", admin, { cwd: clone, env })).stdout.trim();
const webhook = { url: sink.url, events: ["video.created"] };
secret = (await call<{ secret: string }>(url, key, "POST", "/v1/webhooks", webhook)).secret;
await call(url, key, "POST", "/v1/videos", { name: "First" });
const verified = await first;

await stop(server);
const again = performance.now();
server = await start();
const second = performance.now() - again;
await stop(server);
sink.end();
await removeDataFolder(join(clone, "data"));
await rm(folder, { recursive: true });

report("clone", [
  { what: "`git clone`, `npm start` → ready, caches empty", measured: seconds(ready) },
  {
    what: "→ first verified webhook",
    measured: seconds(verified),
    target: "≤ 120 s",
    holds: verified <= 120_000,
  },
  { what: "`npm start` again → ready", measured: seconds(second) },
]);
