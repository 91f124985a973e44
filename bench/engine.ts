/**
 * The engine's whole path (record → send → settle, the attempt logged) against a bare sender loop: the same client
 * posting signed bytes to the same receiver, with no database. Segments of both alternate in one process.
 */
import { newEvent, startEngine } from "./lib/engine.ts";
import { bare, CONCURRENCY, compare, delivered, settled, whole } from "./lib/path.ts";
import { startBare } from "./lib/processes.ts";
import { median, perSecond, report, short } from "./lib/report.ts";

const BACKLOG = Number(process.env.BACKLOG ?? 200_000);
const SPACES = 16; // webhooks that share the work; each may have ten attempts under way
const ONLY = process.env.ONLY?.split(","); // some of the lines, for a profile

const sink = await startBare("bench/lib/bare-sink.ts");
const engine = await startEngine();
const spaces = await Promise.all(Array.from({ length: SPACES }, () => engine.newSpace()));

async function register(count: number): Promise<void> {
  for (const space of spaces)
    for (let n = 0; n < count; n++)
      await engine.webhooks.create(space, { url: `${sink.url}/${n}`, events: ["video.created"] });
}

const spaceOf = (number: number) => spaces[number % SPACES]!;
const shared = (number: number) => engine.recorder.record(newEvent(spaceOf(number)));
const alone = (number: number) => engine.recorder.transaction((tx) => tx.recordLast([newEvent(spaceOf(number))]));
const bareLoop = () => bare(engine, [`${sink.url}/0`]);

/** Everything is recorded first, its webhooks paused, then drained. @returns deliveries a second */
async function drain(): Promise<number> {
  await engine.setStatus("paused");
  let left = BACKLOG;
  const work = async () => {
    while (left > 0) await shared(left--);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  const [before, begun] = [delivered(engine), performance.now()];
  await engine.setStatus("enabled");
  await settled(engine, before + BACKLOG);
  return (BACKLOG / (performance.now() - begun)) * 1000;
}

/** One long drain between the bare segments before and after it. */
async function backlog() {
  const before = await bareLoop();
  const rate = await drain();
  const bareRate = median([before, await bareLoop(), before]);
  const ratio = rate / bareRate;
  return {
    what: `a backlog of ${BACKLOG.toLocaleString("en")} drained, fan-out 1`,
    measured: perSecond(rate),
    against: `${perSecond(bareRate)} bare`,
    ratio: short(ratio),
    target: "≥ 0.45",
    holds: ratio >= 0.45,
  };
}

const line = (what: string, target: number, fanOut: number, record: (number: number) => Promise<unknown>) =>
  compare({ what, target, run: () => whole(engine, fanOut, record), against: bareLoop });

const scenarios = {
  shared: () => line("whole path, shared commits, fan-out 1", 0.4, 1, shared),
  alone: () => line("whole path, one transaction an event, fan-out 1", 0.25, 1, alone),
  backlog,
  async fan() {
    await register(2);
    return line("whole path, shared commits, fan-out 3", 0.45, 3, shared);
  },
};

await register(1);
await whole(engine, 1, shared); // warm
await bareLoop();
const lines = [];
for (const [name, run] of Object.entries(scenarios)) if (ONLY?.includes(name) ?? true) lines.push(await run());
report("engine", lines);
await engine.end();
await sink.end();
