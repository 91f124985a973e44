/** Measures the cost of per-video ordering by comparing the whole path with and without it. */
import { startProgram } from "./lib/processes.ts";
import { report } from "./lib/report.ts";
import { newEvent, startEngine } from "./lib/start-engine.ts";
import { registerMany } from "./lib/traffic.ts";
import { alternate, whole } from "./lib/whole-path.ts";

const SPACES = 16;
const EVENTS_OF_MANY = 10;

const sink = await startProgram("bare-sink.ts");
const engine = await startEngine();
const ordered = await registerMany(engine, SPACES, () => sink.url, "video");
const unordered = await registerMany(engine, SPACES, () => sink.url, "none");

let videos = 0;
/** Returns a function that records `events` events for a new video, one after another. */
const video = (events: number, webhooks: typeof ordered) => async (number: number) => {
  const [name, { space }] = [`O${String(++videos).padStart(9, "0")}`, webhooks[number % SPACES]!];
  for (let sequence = 1; sequence <= events; sequence++)
    await engine.recorder.recordAlone(newEvent(space, sequence, name));
};
const path = (events: number, webhooks: typeof ordered) => () => whole(engine, events, video(events, webhooks));
const row = (what: string, atLeast: number, events: number) =>
  alternate(what, {
    run: path(events, ordered),
    baseline: path(events, unordered),
    label: "without ordering",
    atLeast,
  });

for (const webhooks of [ordered, unordered]) await path(1, webhooks)(); // warm-up
report("order", [
  await row("in order, 1 event per video", 0.95, 1),
  await row(`in order, ${EVENTS_OF_MANY} events per video, recorded one after another`, 0.8, EVENTS_OF_MANY),
]);
await engine.end();
await sink.end();
