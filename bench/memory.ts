/** Measures the memory of a delivering process while 200 receivers stall and a million deliveries are pending. */
import { setTimeout as pause } from "node:timers/promises";
import { fillDue } from "./lib/fill-tables.ts";
import { startProgram, watchMemory } from "./lib/processes.ts";
import { count, megabytes, report, short } from "./lib/report.ts";
import { startDatabase, startEngine } from "./lib/start-engine.ts";
import { registerMany } from "./lib/traffic.ts";

const STALLED = Number(process.env.STALLED ?? 200);
const PENDING = Number(process.env.PENDING ?? 1_000_000);
const WATCHED_MS = Number(process.env.WATCHED_MS ?? 60_000);
const MEMORY_MAX = 300_000_000;

const database = await startDatabase();
const recording = await startEngine({ url: database.url, deliver: false });
const sink = await startProgram("bare-sink.ts", { HANGS: "1" });
const webhooks = await registerMany(recording, STALLED, () => `${sink.url}/hang`);
for (const { space, webhook } of webhooks) await fillDue(recording.db, space, webhook, Math.floor(PENDING / STALLED));

const node = await startProgram("deliver-node.ts", { DATABASE_URL: database.url });
async function peak(): Promise<number> {
  const stop = watchMemory(node.pid);
  await pause(WATCHED_MS / 2);
  return stop().own;
}
await pause(WATCHED_MS / 2); // so that memory allocated during startup does not count as growth
const [early, late] = [await peak(), await peak()];
const { slow, inFlight } = (await (await fetch(node.url)).json()) as { slow: number; inFlight: number };
const growth = late / early;
report("memory", [
  {
    what: `memory with ${STALLED} stalled receivers (${slow + inFlight} attempts in flight) and ${count(PENDING)} pending deliveries`,
    measured: megabytes(Math.max(early, late)),
    target: "< 300 MB",
    holds: Math.max(early, late) < MEMORY_MAX,
  },
  {
    what: `peak memory in the second ${WATCHED_MS / 2_000} s, compared with the first ${WATCHED_MS / 2_000} s`,
    measured: megabytes(late),
    baseline: megabytes(early),
    ratio: short(growth),
    target: "≤ 1.1",
    holds: growth <= 1.1,
  },
]);
await node.end();
await recording.end();
await sink.end();
await database.end();
