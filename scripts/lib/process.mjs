import { spawn } from "node:child_process";
import { environment, nodePath, ROOT } from "./places.mjs";

const PARENT_LOOKED_AT_MS = 200;

/**
 * Runs a program on our Node in this terminal and waits for its end. A signal to us reaches it. Where we are killed it
 * sees its channel to us close, and ends by itself; where npm, which started us, is killed, we end it.
 * @returns {Promise<number>} its exit code
 */
export function runUntilEnd(words, env = {}, { channel = true } = {}) {
  const stdio = ["inherit", "inherit", "inherit", ...(channel ? ["ipc"] : [])];
  const child = spawn(nodePath(), words, { cwd: ROOT, env: environment(env), stdio });
  child.channel?.unref();
  for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"]) {
    process.removeAllListeners(signal);
    // A terminal sends Ctrl-C to the child as well; sent twice, it would mean impatience.
    process.on(signal, () => (signal === "SIGINT" && process.stdin.isTTY) || child.kill(signal));
  }
  if (process.env.npm_lifecycle_event !== undefined) watchParent(() => child.kill("SIGTERM"));
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 1)));
  });
}

function watchParent(orphaned) {
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && orphaned(), PARENT_LOOKED_AT_MS).unref();
}
