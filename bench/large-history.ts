/**
 * Compares the engine's whole path on a database with millions of finished deliveries to the same path on an empty one.
 */
import { fillHistory } from "../test/support/history.ts";
import { startProgram } from "./lib/processes.ts";
import { count, report } from "./lib/report.ts";
import { newEvent, startEngine } from "./lib/start-engine.ts";
import { registerMany } from "./lib/traffic.ts";
import { alternate, whole } from "./lib/whole-path.ts";

const ROWS = Number(process.env.ROWS ?? 10_000_000);
const DAYS = 30;
const SPACES = 16;
const EVENTS_OF_MANY = 5;

const sink = await startProgram("bare-sink.ts");

async function start(rows: number) {
  const engine = await startEngine();
  const webhooks = ["1", "2", "3"].map((digit) => `00000000-0000-4000-8000-00000000001${digit}`);
  await fillHistory(engine.db, { space: engine.space, webhooks, days: DAYS }, rows); // also creates the partitions
  return { engine, targets: await registerMany(engine, SPACES, () => sink.url) };
}
const [filled, empty] = [await start(ROWS), await start(1)];
type Side = typeof filled;

let videos = 0;
/** Returns a function that records `events` events for a new video, one after another. */
const video =
  ({ engine, targets }: Side, events: number) =>
  async (number: number) => {
    const [name, { space }] = [`F${String(++videos).padStart(9, "0")}`, targets[number % SPACES]!];
    for (let sequence = 1; sequence <= events; sequence++)
      await engine.recorder.recordAlone(newEvent(space, sequence, name));
  };
const path = (side: Side, events: number) => () => whole(side.engine, events, video(side, events));

/**
 * Measures the whole path right after vacuuming the empty queue and updating the planner's statistics, which must not
 * lead to worse plans.
 */
async function vacuumed(): Promise<number> {
  await filled.engine.db.run({ name: "bench_vacuum", text: "vacuum analyze pending_deliveries" });
  return path(filled, 1)();
}

const row = (what: string, run: () => Promise<number>, events: number) =>
  alternate(`with ${count(ROWS)} finished deliveries, ${what}`, {
    run,
    baseline: path(empty, events),
    label: "on an empty database",
    atLeast: 0.9,
  });

for (const side of [filled, empty]) await path(side, 1)(); // warm-up
report("large-history", [
  await row("1 event per video", path(filled, 1), 1),
  await row(`${EVENTS_OF_MANY} events per video`, path(filled, EVENTS_OF_MANY), EVENTS_OF_MANY),
  await row("right after a vacuum of the empty queue", vacuumed, 1),
]);
for (const { engine } of [filled, empty]) await engine.end();
await sink.end();
