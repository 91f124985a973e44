/**
 * Compares the engine's whole path (record → send → settle, including the log entry for the attempt) to a bare loop
 * that uses the same client to post signed bytes to the same receiver, but has no database. The two take turns in one
 * process.
 */
import { startProgram } from "./lib/processes.ts";
import { compare, count, perSecond, report } from "./lib/report.ts";
import { newEvent, startEngine } from "./lib/start-engine.ts";
import { alternate, bare, CONCURRENCY, delivered, settled, whole } from "./lib/whole-path.ts";

const BACKLOG = Number(process.env.BACKLOG ?? 200_000);
const SPACES = 16; // each has one webhook, because a webhook can have only ten attempts in flight
const ONLY = process.env.ONLY?.split(","); // measures only these rows, for profiling

const sink = await startProgram("bare-sink.ts");
const engine = await startEngine();
const spaces = await Promise.all(Array.from({ length: SPACES }, () => engine.newSpace()));

async function register(webhooks: number): Promise<void> {
  for (const space of spaces)
    for (let n = 0; n < webhooks; n++)
      await engine.webhooks.create(engine.db, space, { url: `${sink.url}/${n}`, events: ["video.created"] });
}

const spaceOf = (number: number) => spaces[number % SPACES]!;
const grouped = (number: number) => engine.recorder.recordAlone(newEvent(spaceOf(number)));
const alone = (number: number) =>
  engine.db.transaction((tx) => engine.recorder.recordLast(tx, [newEvent(spaceOf(number))]));
const baseline = () => bare(engine, [`${sink.url}/0`]);

/** Records a backlog while the webhooks are paused, then enables them. @returns deliveries per second */
async function drain(): Promise<number> {
  await engine.setStatus("paused");
  let left = BACKLOG;
  const work = async () => {
    while (left > 0) await grouped(left--);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  const [before, begin] = [delivered(engine), performance.now()];
  await engine.setStatus("enabled");
  await settled(engine, before + BACKLOG);
  return (BACKLOG / (performance.now() - begin)) * 1000;
}

/** Drains one long backlog, and compares its rate with bare segments measured right before and after it. */
async function backlog() {
  const before = await baseline();
  const value = await drain();
  const pairs = [before, await baseline()].map((baseline) => ({ value, baseline }));
  const what = `draining a backlog of ${count(BACKLOG)}, fan-out 1`;
  return compare(what, pairs, { format: perSecond, label: "for a bare loop", atLeast: 0.45 });
}

const row = (what: string, atLeast: number, fanOut: number, record: (number: number) => Promise<unknown>) =>
  alternate(`whole path, ${what}, fan-out ${fanOut}`, { run: () => whole(engine, fanOut, record), baseline, atLeast });

const scenarios = {
  grouped: () => row("group commit", 0.4, 1, grouped),
  alone: () => row("one transaction per event", 0.25, 1, alone),
  backlog,
  async fan() {
    await register(2);
    return row("group commit", 0.45, 3, grouped);
  },
};

await register(1);
await whole(engine, 1, grouped); // warm-up
await baseline();
const rows = [];
for (const [name, run] of Object.entries(scenarios)) if (ONLY?.includes(name) ?? true) rows.push(await run());
report("engine", rows);
await engine.end();
await sink.end();
