import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { freePort, runNode } from "../../test/support/server.ts";

export interface Program {
  url: string;
  pid: number;
  end(): Promise<void>;
}

/** Starts a program from `bench/lib` in its own process on a free port, and waits until it accepts connections. */
export async function startProgram(file: string, env: Record<string, string> = {}): Promise<Program> {
  const port = await freePort();
  const child = runNode([`bench/lib/${file}`], { ...process.env, ...env, PORT: String(port) });
  child.stderr!.pipe(process.stderr);
  process.once("exit", () => child.kill("SIGKILL")); // in case the bench fails before it ends the program
  const url = `http://127.0.0.1:${port}`;
  for (let ready = false; !ready && child.exitCode === null; ) {
    ready = await fetch(`${url}/readyz`).then(
      () => true,
      () => false,
    );
  }
  return {
    url,
    pid: child.pid!,
    async end() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

const TICK_MS = 10; // USER_HZ is 100 on every Linux platform

/** Returns the CPU time that a process and its children, including exited ones, have used, in ms. Linux only. */
export function cpuOf(pid: number): number {
  const own = statOf(pid);
  const children = childrenOf(pid).map((child) => statOf(child).ticks);
  return (own.ticks + own.exitedTicks + children.reduce((sum, ticks) => sum + ticks, 0)) * TICK_MS;
}

export interface Memory {
  /** Bytes used by the process alone. */
  own: number;
  /** Bytes used by the process and all its descendants. */
  total: number;
}

/** Returns the memory in use, measured as PSS so that the total counts each shared page only once. Linux only. */
export function memoryOf(pid: number): Memory {
  const own = proportionalSetSize(pid);
  return { own, total: own + childrenOf(pid).reduce((sum, child) => sum + memoryOf(child).total, 0) };
}

/** Samples the memory every 100 ms. @returns a function that stops sampling and returns the peak */
export function watchMemory(pid: number): () => Memory {
  const peak = { own: 0, total: 0 };
  const sample = () => {
    const now = memoryOf(pid);
    peak.own = Math.max(peak.own, now.own);
    peak.total = Math.max(peak.total, now.total);
  };
  sample();
  const timer = setInterval(sample, 100);
  return () => {
    clearInterval(timer);
    sample();
    return peak;
  };
}

function proportionalSetSize(pid: number): number {
  try {
    const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0; // the process has exited
  }
}

const childrenOf = (pid: number): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && statOf(Number(name)).parent === pid)
    .map(Number);

function statOf(pid: number): { parent: number; ticks: number; exitedTicks: number } {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat
      .slice(stat.lastIndexOf(")") + 2) // the command's name, in parentheses, may contain spaces
      .split(" ")
      .map(Number);
    return { parent: fields[1]!, ticks: fields[11]! + fields[12]!, exitedTicks: fields[13]! + fields[14]! };
  } catch {
    return { parent: 0, ticks: 0, exitedTicks: 0 }; // the process has exited
  }
}
