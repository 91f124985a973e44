import { spawn } from "node:child_process";
import { environment, nodePath, ROOT } from "./places.mjs";

const PARENT_CHECK_MS = 200;

/**
 * Runs a Node program in this terminal, forwards signals to it, and waits for it to exit. If npm, the parent process,
 * is killed, the program gets SIGTERM. If this process is killed, a program with an IPC channel sees the channel close
 * and exits.
 * @returns {Promise<number>} the exit code
 */
export function runUntilEnd(args, env = {}, { channel = true } = {}) {
  const stdio = ["inherit", "inherit", "inherit", ...(channel ? ["ipc"] : [])];
  const child = spawn(nodePath(), args, { cwd: ROOT, env: environment(env), stdio });
  child.channel?.unref();
  for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"]) {
    process.removeAllListeners(signal);
    // On Ctrl-C, the terminal also signals the child, and a second SIGINT would force it to exit.
    process.on(signal, () => (signal === "SIGINT" && process.stdin.isTTY) || child.kill(signal));
  }
  if (process.env.npm_lifecycle_event !== undefined) watchParent(() => child.kill("SIGTERM"));
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 1)));
  });
}

function watchParent(onOrphaned) {
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && onOrphaned(), PARENT_CHECK_MS).unref();
}
