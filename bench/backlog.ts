/** Measures how much the backlog of one webhook or space delays the others. */
import { setTimeout as pause } from "node:timers/promises";
import { fillDue, removePending } from "./lib/fill-tables.ts";
import { compare, count, ms, type Pair, quantile, report, seconds } from "./lib/report.ts";
import { startSink } from "./lib/sink.ts";
import { idle, newEvent, startEngine } from "./lib/start-engine.ts";
import { Journal, registerMany } from "./lib/traffic.ts";
import { CONCURRENCY, PAIRS } from "./lib/whole-path.ts";

const OTHERS = Number(process.env.WEBHOOKS ?? 1_000);
const BACKLOG = Number(process.env.BACKLOG ?? 100_000);
const MEANWHILE = 10; // number of events that another space records at even intervals in the meantime

const arrivals: number[] = []; // arrival times at the other webhooks
const journal = new Journal();
const sink = await startSink(
  (body, _headers, path) => {
    if (path !== "/webhooks") arrivals.push(performance.now());
    journal.arrive(body);
  },
  { hosts: OTHERS },
);
const engine = await startEngine();
const [big] = await registerMany(engine, 1, () => sink.url);
const others = await registerMany(engine, OTHERS, sink.urlOf);

/**
 * Inserts due deliveries while all webhooks are paused, then enables the webhooks.
 * @returns the p99 of the delay until deliveries arrive at the other webhooks, in ms
 */
async function segment(backlog: number): Promise<number> {
  await engine.setStatus("paused");
  await idle(engine);
  await removePending(engine.db);
  if (backlog > 0) await fillDue(engine.db, big!.space, big!.webhook, backlog);
  for (const { space, webhook } of others) await fillDue(engine.db, space, webhook, 1);
  arrivals.length = 0;
  const begin = performance.now();
  await engine.setStatus("enabled");
  while (arrivals.length < OTHERS) await pause(2);
  return quantile(arrivals, 0.99) - begin;
}

/**
 * Records events in one space as fast as possible.
 * @returns the latencies of events that another space records meanwhile, in ms
 */
async function twoSpaces(): Promise<number[]> {
  await idle(engine);
  await removePending(engine.db);
  let left = BACKLOG;
  const enqueue = async () => {
    while (left-- > 0) await engine.recorder.recordAlone(newEvent(big!.space));
  };
  const enqueued = Promise.all(Array.from({ length: CONCURRENCY }, enqueue));
  const ids: string[] = [];
  for (let part = 1; part <= MEANWHILE; part++) {
    while (left > BACKLOG * (1 - part / (MEANWHILE + 1))) await pause(2);
    ids.push(await journal.record(engine, others[0]!));
  }
  await enqueued;
  return journal.latencies(ids);
}

await segment(0); // warm-up
const pairs: Pair[] = [];
for (let pair = 0; pair < PAIRS; pair++) pairs.push({ baseline: await segment(0), value: await segment(BACKLOG) });
const slowest = Math.max(...(await twoSpaces()));
report("backlog", [
  compare(
    `${count(BACKLOG)} due deliveries for one webhook and one for each of ${count(OTHERS)} others: p99 of the others`,
    pairs,
    { format: ms, label: "without the backlog", atMost: 2 },
  ),
  {
    what: `one space records ${count(BACKLOG)} events while another space records ${MEANWHILE}: slowest of the ${MEANWHILE}, call → arrival`,
    measured: seconds(slowest),
    target: "≤ 1 s",
    holds: slowest <= 1_000,
  },
]);
await engine.end();
sink.end();
