/** What millions of finished deliveries in the tables cost the engine: the whole path on a filled database and on an empty one. */
import { fillHistory } from "../test/support/history.ts";
import { newEvent, startEngine } from "./lib/engine.ts";
import { compare, whole } from "./lib/path.ts";
import { startBare } from "./lib/processes.ts";
import { report } from "./lib/report.ts";
import { registerMany } from "./lib/traffic.ts";

const ROWS = Number(process.env.ROWS ?? 10_000_000);
const DAYS = 30;
const SPACES = 16;
const EVENTS_OF_MANY = 5;

const sink = await startBare("bench/lib/bare-sink.ts");

async function start(rows: number) {
  const engine = await startEngine();
  const webhooks = ["1", "2", "3"].map((digit) => `00000000-0000-4000-8000-00000000001${digit}`);
  await fillHistory(engine.db, { space: engine.space, webhooks, days: DAYS }, rows); // its partitions, too
  return { engine, targets: await registerMany(engine, SPACES, () => sink.url) };
}
const [filled, empty] = [await start(ROWS), await start(1)];
type Side = typeof filled;

let videos = 0;
/** Records this many events of one new video, one after the other. */
const video =
  ({ engine, targets }: Side, events: number) =>
  async (number: number) => {
    const [name, { space }] = [`F${String(++videos).padStart(9, "0")}`, targets[number % SPACES]!];
    for (let sequence = 1; sequence <= events; sequence++)
      await engine.recorder.record(newEvent(space, sequence, name));
  };
const path = (side: Side, events: number) => () => whole(side.engine, events, video(side, events));

/** A vacuum that finds the queue empty tells the planner so; what comes afterwards must not be planned for that. */
async function vacuumed(side: Side): Promise<number> {
  await side.engine.db.run({ name: "bench_vacuum", text: "vacuum analyze pending_deliveries" });
  return path(side, 1)();
}

const line = (what: string, run: () => Promise<number>, events: number) =>
  compare({ what, target: 0.9, run, against: path(empty, events), name: "on an empty database" });

const rows = `${ROWS.toLocaleString("en")} finished deliveries`;
for (const side of [filled, empty]) await path(side, 1)(); // warm
report("filled", [
  await line(`beside ${rows}, 1 event a video`, path(filled, 1), 1),
  await line(`beside ${rows}, ${EVENTS_OF_MANY} events a video`, path(filled, EVENTS_OF_MANY), EVENTS_OF_MANY),
  await line(`beside ${rows}, right after a vacuum of the empty queue`, () => vacuumed(filled), 1),
]);
for (const { engine } of [filled, empty]) await engine.end();
await sink.end();
