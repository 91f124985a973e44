/** Memory of a process that delivers while 200 receivers stall and a million deliveries wait. */
import { setTimeout as pause } from "node:timers/promises";
import { fillDue } from "./lib/backlog.ts";
import { startDatabase, startEngine } from "./lib/engine.ts";
import { watchMemory } from "./lib/memory.ts";
import { startBare } from "./lib/processes.ts";
import { megabytes, report, short } from "./lib/report.ts";
import { registerMany } from "./lib/traffic.ts";

const STALLED = Number(process.env.STALLED ?? 200);
const WAITING = Number(process.env.WAITING ?? 1_000_000);
const WATCHED_MS = Number(process.env.WATCHED_MS ?? 60_000);
const MEMORY_MAX = 300_000_000;

const database = await startDatabase();
const recording = await startEngine({ url: database.url, deliver: false });
const sink = await startBare("bench/lib/bare-sink.ts", { HANGS: "1" });
const webhooks = await registerMany(recording, STALLED, () => `${sink.url}/hang`);
for (const { space, webhook } of webhooks) await fillDue(recording.db, space, webhook, Math.floor(WAITING / STALLED));

const node = await startBare("bench/lib/deliver-node.ts", { DATABASE_URL: database.url });
/** The highest in a while. */
const watch = async () => {
  const highest = watchMemory(node.pid);
  await pause(WATCHED_MS / 2);
  return highest().own;
};
await pause(WATCHED_MS / 2); // what a process takes on while it begins is no growth
const [early, late] = [await watch(), await watch()];
const { slow, inFlight } = (await (await fetch(node.url)).json()) as { slow: number; inFlight: number };
const growth = late / early;
report("waiting", [
  {
    what: `memory while ${STALLED} receivers stall (${slow + inFlight} attempts under way), ${WAITING.toLocaleString("en")} deliveries wait`,
    measured: megabytes(Math.max(early, late)),
    target: "< 300 MB",
    holds: Math.max(early, late) < MEMORY_MAX,
  },
  {
    what: `its highest in the second ${WATCHED_MS / 2_000} s against the first`,
    measured: megabytes(late),
    against: megabytes(early),
    ratio: short(growth),
    target: "≤ 1.1",
    holds: growth <= 1.1,
  },
]);
await node.end();
await recording.end();
await sink.end();
await database.end();
