/** What keeping the order of a video's events costs: webhooks with it against webhooks without, the whole path each. */
import { newEvent, startEngine } from "./lib/engine.ts";
import { compare, whole } from "./lib/path.ts";
import { startBare } from "./lib/processes.ts";
import { report } from "./lib/report.ts";
import { registerMany } from "./lib/traffic.ts";

const SPACES = 16;
const EVENTS_OF_MANY = 10;

const sink = await startBare("bench/lib/bare-sink.ts");
const engine = await startEngine();
const ordered = await registerMany(engine, SPACES, () => sink.url, "video");
const free = await registerMany(engine, SPACES, () => sink.url, "none");

let videos = 0;
/** Records this many events of one new video, one after the other. */
const video = (events: number, webhooks: typeof ordered) => async (number: number) => {
  const [name, { space }] = [`O${String(++videos).padStart(9, "0")}`, webhooks[number % SPACES]!];
  for (let sequence = 1; sequence <= events; sequence++) await engine.recorder.record(newEvent(space, sequence, name));
};

const line = (what: string, target: number, events: number) =>
  compare({
    what,
    target,
    run: () => whole(engine, events, video(events, ordered)),
    against: () => whole(engine, events, video(events, free)),
    name: "without order",
  });

await whole(engine, 1, video(1, ordered)); // warm
await whole(engine, 1, video(1, free));
report("order", [
  await line("in order, 1 event a video", 0.95, 1),
  await line(`in order, ${EVENTS_OF_MANY} events a video, one after the other`, 0.8, EVENTS_OF_MANY),
]);
await engine.end();
await sink.end();
