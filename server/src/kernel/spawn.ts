import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Clock } from "./clock.ts";

/**
 * The only file that starts processes. A program is found in PATH or named by its path; never a shell, so that no
 * argument is ever more than an argument.
 */
export function startChild(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options, shell: false });
}

export interface Bounds {
  /** From start to end. */
  wall_ms: number;
  /** Without a line on its standard output; no bound where it is left out. */
  silent_ms?: number;
  /** Processor time, all cores together. */
  cpu_s: number;
  /** Virtual memory. */
  memory_bytes: number;
  /** The largest file it may write. */
  file_bytes: number;
}

export type Ending =
  /** Ended by itself with this exit code. */
  | { how: "exited"; code: number }
  /** Ended by a signal that was not ours: the kernel's limits, or somebody's kill. */
  | { how: "killed"; signal: NodeJS.Signals }
  | { how: "too_long" | "stalled" | "canceled" }
  /** There is no such program. */
  | { how: "missing" };

export interface Run {
  ending: Ending;
  /** The last kilobytes of its standard error. */
  errors: string;
}

export interface RunOptions {
  clock: Clock;
  bounds: Bounds;
  /** Each line of its standard output. */
  onLine?: (line: string) => void;
  /** Ends it: asked first, killed 2 s later. */
  signal?: AbortSignal;
}

const ERRORS_KEPT_BYTES = 8_192;
const ASKED_BEFORE_KILLED_MS = 2_000;

/** Runs a program that reads what strangers sent, within bounds, and waits for its end. Never throws for what it does. */
export async function runBounded(command: string, args: readonly string[], options: RunOptions): Promise<Run> {
  const { clock, bounds, onLine, signal } = options;
  if (signal?.aborted) return { ending: { how: "canceled" }, errors: "" };
  const [program, ...all] = [...(await wrapper(bounds)), command, ...args] as [string, ...string[]];
  const child = startChild(program, all, { env: childEnvironment() });
  const stop = new Stopper(child, clock);
  let quiet = () => {};
  const heard = () => {
    quiet();
    if (bounds.silent_ms !== undefined) quiet = clock.after(bounds.silent_ms, () => stop.because("stalled"));
  };
  heard();
  const expire = clock.after(bounds.wall_ms, () => stop.because("too_long"));
  const cancel = () => stop.because("canceled");
  signal?.addEventListener("abort", cancel, { once: true });
  const errors = keepTail(child);
  createInterface({ input: child.stdout!, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (line) => {
    heard();
    onLine?.(line);
  });
  const ending = await ended(child);
  for (const undo of [quiet, expire, stop.done]) undo();
  signal?.removeEventListener("abort", cancel);
  return { ending: stop.reason && ending.how !== "missing" ? { how: stop.reason } : ending, errors: errors() };
}

/** Asks a child to end, and kills it where it does not. */
class Stopper {
  reason: "too_long" | "stalled" | "canceled" | undefined;
  done = () => {};
  readonly #child: ChildProcess;
  readonly #clock: Clock;

  constructor(child: ChildProcess, clock: Clock) {
    this.#child = child;
    this.#clock = clock;
  }

  because(reason: "too_long" | "stalled" | "canceled"): void {
    if (this.reason) return;
    this.reason = reason;
    this.#child.kill("SIGTERM");
    this.done = this.#clock.after(ASKED_BEFORE_KILLED_MS, () => this.#child.kill("SIGKILL"));
  }
}

const NOT_FOUND = 127; // what the programs in front say where there is nothing to run

/** Resolves once its output is read to the end, too. */
function ended(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.once("error", () => resolve({ how: "missing" }));
    child.once("close", (code, signal) => {
      if (signal) resolve({ how: "killed", signal });
      else if (code === NOT_FOUND) resolve({ how: "missing" });
      else resolve({ how: "exited", code: code ?? 1 });
    });
  });
}

function keepTail(child: ChildProcess): () => string {
  let tail = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    tail = (tail + text).slice(-ERRORS_KEPT_BYTES);
  });
  return () => tail;
}

/** Nothing of our own settings and secrets reaches a program that reads a stranger's file. */
function childEnvironment(): NodeJS.ProcessEnv {
  return { PATH: SEARCH_PATH, LC_ALL: "C", HOME: "/nonexistent" };
}

const SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin";

let guards: Promise<{ dies: boolean; limits: boolean; nice: boolean }> | undefined;

/**
 * The bounds that only the system can hold, by programs that every Linux has. Each replaces itself by the next, so the
 * process id stays. It dies with us (an ffmpeg would outlive a killed parent), gains no rights, and lets deliveries go
 * first. Where one is missing (macOS), the time limits above still hold.
 */
async function wrapper(bounds: Bounds): Promise<string[]> {
  guards ??= findGuards();
  const { dies, limits, nice } = await guards;
  const limited = [
    `--as=${bounds.memory_bytes}`,
    `--cpu=${bounds.cpu_s}:${bounds.cpu_s + 10}`,
    `--fsize=${bounds.file_bytes}`,
  ];
  return [
    ...(dies ? ["setpriv", "--pdeathsig", "KILL", "--no-new-privs"] : []),
    ...(limits ? ["prlimit", ...limited, "--core=0", "--nofile=256"] : []),
    ...(nice ? ["nice", "-n", "10"] : []),
  ];
}

async function findGuards() {
  const works = async (command: string, ...args: string[]) => {
    const ending = await ended(startChild(command, args, { stdio: ["ignore", "pipe", "pipe"] }));
    return ending.how === "exited" && ending.code === 0;
  };
  const [dies, limits, nice] = await Promise.all([
    works("setpriv", "--pdeathsig", "KILL", "--no-new-privs", "true"),
    works("prlimit", "--core=0", "true"),
    works("nice", "-n", "10", "true"),
  ]);
  return { dies, limits, nice };
}
