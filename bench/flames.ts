/** Where Node's thread spends its time on the engine's whole path: a flame graph, by `--write` into docs/flames. */
import { mkdir, writeFile } from "node:fs/promises";
import { Session } from "node:inspector/promises";
import { newEvent, startEngine } from "./lib/engine.ts";
import { flameGraph } from "./lib/flame-graph.ts";
import { whole } from "./lib/path.ts";
import { startBare } from "./lib/processes.ts";
import { registerMany } from "./lib/traffic.ts";

const SPACES = 16;
const SAMPLE_US = 200;
const NAME = process.env.FLAME ?? "whole-path";

const sink = await startBare("bench/lib/bare-sink.ts");
const engine = await startEngine();
const targets = await registerMany(engine, SPACES, () => sink.url);
const path = () => whole(engine, 1, (number) => engine.recorder.record(newEvent(targets[number % SPACES]!.space)));
await path(); // warm

const session = new Session();
session.connect();
await session.post("Profiler.enable");
await session.post("Profiler.setSamplingInterval", { interval: SAMPLE_US });
await session.post("Profiler.start");
await path();
const { profile } = await session.post("Profiler.stop");
session.disconnect();

const title = "record → send → settle, shared commits, fan-out 1: Node's thread, without its idle time";
const svg = flameGraph(profile, title);
if (process.argv.includes("--write")) {
  await mkdir("docs/flames", { recursive: true });
  await writeFile(`docs/flames/${NAME}.svg`, svg);
} else console.log("--write draws them into docs/flames");
await engine.end();
await sink.end();
