import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Clock } from "./clock.ts";

/**
 * Starts a process. All processes are started here, and never through a shell, so that an argument cannot inject a
 * command.
 */
export function startChild(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options, shell: false });
}

export interface Bounds {
  wall_ms: number;
  /** Maximum time between two lines on the program's standard output; unlimited if absent. */
  silent_ms?: number;
  /** CPU time across all cores. */
  cpu_s: number;
  /** Virtual memory. */
  memory_bytes: number;
  /** Size of the largest file that the program may write. */
  file_bytes: number;
}

export type Ending =
  /** The program exited with this code. */
  | { how: "exited"; code: number }
  /** The program was killed by a signal that came from the kernel or another process, not from this module. */
  | { how: "killed"; signal: NodeJS.Signals }
  | { how: "too_long" | "stalled" | "canceled" }
  /** The program does not exist. */
  | { how: "missing" };

export interface Run {
  ending: Ending;
  /** The end of the program's standard error output. */
  errors: string;
}

export interface RunOptions {
  clock: Clock;
  bounds: Bounds;
  /** Called with each line of the program's standard output. */
  onLine?: (line: string) => void;
  /** When aborted, stops the program with SIGTERM, and with SIGKILL if it is still running 2 s later. */
  signal?: AbortSignal;
}

const ERRORS_KEPT_BYTES = 8_192; // the last messages of ffmpeg, for the log
const TERM_BEFORE_KILL_MS = 2_000; // ffmpeg finishes its file within this time

/** Runs a program on untrusted input, within bounds, until it ends. Never throws, whatever the program does. */
export async function runBounded(command: string, args: readonly string[], options: RunOptions): Promise<Run> {
  const { clock, bounds, onLine, signal } = options;
  if (signal?.aborted) return { ending: { how: "canceled" }, errors: "" };
  const [program, ...all] = [...(await wrapper(bounds)), command, ...args] as [string, ...string[]];
  const child = startChild(program, all, { env: childEnvironment() });
  const stop = new Stopper(child, clock);
  let cancelStall = () => {};
  const resetStall = () => {
    cancelStall();
    if (bounds.silent_ms !== undefined) cancelStall = clock.after(bounds.silent_ms, () => stop.because("stalled"));
  };
  resetStall();
  const cancelWall = clock.after(bounds.wall_ms, () => stop.because("too_long"));
  const cancel = () => stop.because("canceled");
  signal?.addEventListener("abort", cancel, { once: true });
  const errors = keepTail(child);
  createInterface({ input: child.stdout!, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (line) => {
    resetStall();
    onLine?.(line);
  });
  const ending = await ended(child);
  for (const undo of [cancelStall, cancelWall, stop.done]) undo();
  signal?.removeEventListener("abort", cancel);
  return { ending: stop.reason && ending.how !== "missing" ? { how: stop.reason } : ending, errors: errors() };
}

/** Terminates a child process, and kills it if it does not exit. */
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
    this.done = this.#clock.after(TERM_BEFORE_KILL_MS, () => this.#child.kill("SIGKILL"));
  }
}

const NOT_FOUND = 127; // the wrapper programs' exit code if the command does not exist

/** Resolves once the process has exited and its output has been read completely. */
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

/** Returns an environment without the server's settings and secrets, because the program reads untrusted files. */
function childEnvironment(): NodeJS.ProcessEnv {
  return { PATH: SEARCH_PATH, LC_ALL: "C", HOME: "/nonexistent" };
}

const SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/bin";

let guards: Promise<{ setpriv: boolean; prlimit: boolean; nice: boolean }> | undefined;

/**
 * Returns a command prefix that makes the system enforce the bounds, using programs found on every Linux system. Each
 * program execs the next, so the process id stays the same. The child dies with this process (ffmpeg alone would
 * survive a killed parent), cannot gain privileges, and has a lower priority than deliveries. On systems without these
 * programs (macOS), only this module's own time limits apply.
 */
async function wrapper(bounds: Bounds): Promise<string[]> {
  guards ??= findGuards();
  const { setpriv, prlimit, nice } = await guards;
  const limits = [
    `--as=${bounds.memory_bytes}`,
    `--cpu=${bounds.cpu_s}:${bounds.cpu_s + 10}`,
    `--fsize=${bounds.file_bytes}`,
  ];
  return [
    ...(setpriv ? ["setpriv", "--pdeathsig", "KILL", "--no-new-privs"] : []),
    ...(prlimit ? ["prlimit", ...limits, "--core=0", "--nofile=256"] : []),
    ...(nice ? ["nice", "-n", "10"] : []),
  ];
}

async function findGuards() {
  const works = async (command: string, ...args: string[]) => {
    const ending = await ended(startChild(command, args, { stdio: ["ignore", "pipe", "pipe"] }));
    return ending.how === "exited" && ending.code === 0;
  };
  const [setpriv, prlimit, nice] = await Promise.all([
    works("setpriv", "--pdeathsig", "KILL", "--no-new-privs", "true"),
    works("prlimit", "--core=0", "true"),
    works("nice", "-n", "10", "true"),
  ]);
  return { setpriv, prlimit, nice };
}
