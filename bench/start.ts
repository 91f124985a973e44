/** How long a start takes, and how much memory it needs: idle, and while it serves and delivers. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { startServer } from "../test/support/server.ts";
import { register } from "./lib/client.ts";
import { shoot } from "./lib/load.ts";
import { memoryOf, watchMemory } from "./lib/memory.ts";
import { median, megabytes, report, seconds } from "./lib/report.ts";
import { startSink } from "./lib/sink.ts";

const IDLE_MS = 10_000;
const LOAD_MS = 10_000;

type Watch = ReturnType<typeof watchMemory>;

const timed = async (work: () => Promise<unknown>) => {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
};

let mave!: Awaited<ReturnType<typeof startServer>>;
const first = await timed(async () => (mave = await startServer()));
const later: number[] = [];
const killed: number[] = [];
for (let round = 0; round < 5; round++) {
  await mave.stop();
  later.push(await timed(mave.start));
  await mave.kill();
  killed.push(await timed(mave.start));
}

/** The server's processes and its database's. */
const pids = () => [
  mave.process().pid!,
  Number.parseInt(readFileSync(join(mave.dataDir, "postgres/cluster/postmaster.pid"), "utf8"), 10),
];
await pause(IDLE_MS);
const [server, database] = pids().map((pid) => memoryOf(pid).whole) as [number, number];

let received = 0;
const sink = await startSink(() => void received++);
const key = await mave.key();
await register(mave.url, key, sink.url, ["video.created"]);
const [watchServer, watchDatabase] = pids().map(watchMemory) as [Watch, Watch];
const rate = await shoot(
  mave.url,
  { path: "/v1/videos", keys: [key, await mave.key()], body: '{"name":"A video"}' },
  64,
  LOAD_MS,
);
const loaded = [watchServer().whole, watchDatabase().whole] as const;

report("start", [
  { what: "first start: process → ready, its database made", measured: seconds(first), target: "", holds: true },
  {
    what: "second start: process → ready",
    measured: seconds(median(later)),
    target: "≤ 1 s",
    holds: median(later) <= 1_000,
  },
  {
    what: "start after kill -9: process → ready",
    measured: seconds(median(killed)),
    target: "< 5 s",
    holds: Math.max(...killed) < 5_000,
  },
  {
    what: "memory at idle, with the database",
    measured: megabytes(server + database),
    against: `server ${megabytes(server)}, PostgreSQL ${megabytes(database)}`,
    target: "≤ 250 MB",
    holds: server + database <= 250_000_000,
  },
  {
    what: `memory at ${Math.round(rate)} videos/s created and ${received} events received`,
    measured: megabytes(loaded[0] + loaded[1]),
    against: `server ${megabytes(loaded[0])}, PostgreSQL ${megabytes(loaded[1])}`,
    target: "",
    holds: true,
  },
]);
sink.end();
await mave.remove();
