import { readdirSync, readFileSync } from "node:fs";

const TICK_MS = 10; // Linux's USER_HZ is 100 everywhere

/** CPU that a process, its children and those of them that have ended took so far, ms. Linux only. */
export function cpuOf(pid: number): number {
  let sum = 0;
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const [parent, own, ended] = timesOf(name);
    if (Number(name) === pid) sum += own + ended;
    else if (parent === pid) sum += own;
  }
  return sum * TICK_MS;
}

/** The parent's id, and the ticks of the process and of its children that have ended. */
function timesOf(pid: string): [parent: number, own: number, ended: number] {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = status
      .slice(status.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    return [fields[1]!, fields[11]! + fields[12]!, fields[13]! + fields[14]!];
  } catch {
    return [0, 0, 0]; // it ended while we looked
  }
}
