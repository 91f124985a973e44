import { readdirSync, readFileSync } from "node:fs";

/** Bytes of memory that a process and all its children hold; what several share is counted once (PSS). Linux only. */
export function memoryOf(pid: number): { whole: number; own: number } {
  const own = proportional(pid);
  return { own, whole: own + childrenOf(pid).reduce((sum, child) => sum + memoryOf(child).whole, 0) };
}

/** Reads it every 100 ms until told to stop. @returns the highest seen */
export function watchMemory(pid: number): () => { whole: number; own: number } {
  const highest = { whole: 0, own: 0 };
  const look = () => {
    const now = memoryOf(pid);
    highest.whole = Math.max(highest.whole, now.whole);
    highest.own = Math.max(highest.own, now.own);
  };
  look();
  const timer = setInterval(look, 100);
  return () => {
    clearInterval(timer);
    look();
    return highest;
  };
}

function proportional(pid: number): number {
  try {
    const kilobytes = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0; // it ended while we looked
  }
}

function childrenOf(pid: number): number[] {
  const children: number[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const status = readFileSync(`/proc/${name}/stat`, "utf8");
      if (Number(status.slice(status.lastIndexOf(")") + 2).split(" ")[1]) === pid) children.push(Number(name));
    } catch {
      // it ended while we looked
    }
  }
  return children;
}
