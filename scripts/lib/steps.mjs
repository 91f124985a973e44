// Prints setup output: one line per step with its progress and duration, and readable error messages.
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { CACHE, environment, ROOT } from "./places.mjs";

/** An error that the user can fix. The message explains what happened, why, and what to do. */
export class Failure extends Error {}

const DOTS_MS = 2_000; // interval between progress dots if standard error is not a terminal
const terminal = process.stderr.isTTY === true;

/**
 * Runs `work` and shows its progress on one line of standard error. Standard output is reserved for the command's
 * output.
 * @param {string} title
 * @param {() => Promise<void>} work
 * @param {() => string} [progress] returns a short progress text
 */
export async function step(title, work, progress = () => "") {
  const start = Date.now();
  const seconds = () => `${((Date.now() - start) / 1000).toFixed(1)} s`;
  process.stderr.write(`${title} …`);
  const timer = setInterval(
    () => process.stderr.write(terminal ? `\r\x1b[K${title} … ${progress()} ${seconds()}` : "."),
    terminal ? 100 : DOTS_MS,
  );
  try {
    await work();
    process.stderr.write(`${terminal ? `\r\x1b[K${title} …` : ""} ${seconds()}\n`);
  } catch (error) {
    process.stderr.write(" failed\n");
    throw error;
  } finally {
    clearInterval(timer);
  }
}

const children = new Set();

/** Makes Ctrl-C stop the current step's programs and exit. This is safe because every step can be repeated. */
export function interruptible() {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      for (const child of children) child.kill("SIGTERM");
      process.stderr.write("\nInterrupted. Run the command again to continue.\n");
      process.exit(130);
    });
  }
}

/**
 * Runs a program for a step and writes all of its output to a log file.
 * @param {string} name the log file's name
 * @returns {Promise<{ ok: boolean, log: string }>}
 */
export function quietly(name, program, args, { cwd = ROOT, env = environment() } = {}) {
  const log = join(CACHE, `${name}.log`);
  try {
    mkdirSync(CACHE, { recursive: true });
  } catch (error) {
    throw new Failure(
      `Cannot write to ${ROOT} (${error.code}). Run the command as the folder's owner, or clone the repository again.`,
    );
  }
  const output = openSync(log, "w");
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, env, stdio: ["ignore", output, output] });
    children.add(child);
    const finish = (ok) => {
      children.delete(child);
      resolve({ ok, log });
    };
    child.once("error", () => finish(false));
    child.once("exit", (code) => finish(code === 0));
    closeSync(output);
  });
}
