/** Measures startup time, and memory usage when idle and under load. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { startServer } from "../test/support/server.ts";
import { generateLoad, register } from "./lib/client.ts";
import { memoryOf, watchMemory } from "./lib/processes.ts";
import { median, megabytes, report, seconds } from "./lib/report.ts";
import { startSink } from "./lib/sink.ts";

const IDLE_MS = 10_000;
const LOAD_MS = 10_000;

type Watch = ReturnType<typeof watchMemory>;

const timed = async (work: () => Promise<unknown>) => {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
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

/** Returns the process ids of the server and of its database's main process. */
const pids = () => [
  mave.process().pid!,
  Number.parseInt(readFileSync(join(mave.dataDir, "postgres/cluster/postmaster.pid"), "utf8"), 10),
];
await pause(IDLE_MS);
const [server, database] = pids().map((pid) => memoryOf(pid).total) as [number, number];

let received = 0;
const sink = await startSink(() => void received++);
const key = await mave.key();
await register(mave.url, key, sink.url, ["video.created"]);
const [watchServer, watchDatabase] = pids().map(watchMemory) as [Watch, Watch];
const rate = await generateLoad(
  mave.url,
  { path: "/v1/videos", keys: [key, await mave.key()], body: '{"name":"A video"}' },
  64,
  LOAD_MS,
);
const loaded = [watchServer().total, watchDatabase().total] as const;

report("start", [
  { what: "first start: process → ready, including creating the database", measured: seconds(first) },
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
    what: "idle memory, including the database",
    measured: megabytes(server + database),
    baseline: `server ${megabytes(server)}, PostgreSQL ${megabytes(database)}`,
    target: "≤ 250 MB",
    holds: server + database <= 250_000_000,
  },
  {
    what: `memory while creating ${Math.round(rate)} videos/s (${received} events received)`,
    measured: megabytes(loaded[0] + loaded[1]),
    baseline: `server ${megabytes(loaded[0])}, PostgreSQL ${megabytes(loaded[1])}`,
  },
]);
sink.end();
await mave.remove();
