// What the set-up shows: one line a step, with its progress and its time; a failure as a sentence.
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { CACHE, environment, ROOT } from "./places.mjs";

/** Something that the person in front of the terminal can mend: what, why, and what to do. */
export class Failure extends Error {}

const DOTS_MS = 2_000; // where there is no terminal to draw on
const terminal = process.stderr.isTTY === true;

/**
 * Does `work` under one line on standard error (standard output belongs to the command itself).
 * @param {string} title what is being done
 * @param {() => Promise<void>} work
 * @param {() => string} [progress] how far it is, in a few characters
 */
export async function step(title, work, progress = () => "") {
  const begun = Date.now();
  const seconds = () => `${((Date.now() - begun) / 1000).toFixed(1)} s`;
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

/** Ctrl-C during a step: ends what it had started, and with it this process. Every step can be taken again. */
export function interruptible() {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      for (const child of children) child.kill("SIGTERM");
      process.stderr.write("\nInterrupted. The next run takes up where this one stopped.\n");
      process.exit(130);
    });
  }
}

/**
 * Runs a program of a step; all it says goes to a file.
 * @param {string} name of that file
 * @returns {Promise<{ ok: boolean, log: string }>}
 */
export function quietly(name, program, words, { cwd = ROOT, env = environment() } = {}) {
  const log = join(CACHE, `${name}.log`);
  try {
    mkdirSync(CACHE, { recursive: true });
  } catch (error) {
    throw new Failure(
      `The folder ${ROOT} cannot be written (${error.code}). Run this as the user who owns it, or make a clone of your own.`,
    );
  }
  const output = openSync(log, "w");
  return new Promise((resolve) => {
    const child = spawn(program, words, { cwd, env, stdio: ["ignore", output, output] });
    children.add(child);
    const ended = (ok) => {
      children.delete(child);
      resolve({ ok, log });
    };
    child.once("error", () => ended(false));
    child.once("exit", (code) => ended(code === 0));
    closeSync(output);
  });
}
