/** What one webhook's or one space's backlog costs the others. */
import { setTimeout as pause } from "node:timers/promises";
import { fillDue, forgetOpen } from "./lib/backlog.ts";
import { idle, newEvent, startEngine } from "./lib/engine.ts";
import { PAIRS } from "./lib/path.ts";
import { median, ms, quantile, report, seconds, short } from "./lib/report.ts";
import { startSink } from "./lib/sink.ts";
import { Journal, registerMany } from "./lib/traffic.ts";

const OTHERS = Number(process.env.WEBHOOKS ?? 1_000);
const BACKLOG = Number(process.env.BACKLOG ?? 100_000);
const AT_ONCE = 64; // of the space that enqueues
const MEANWHILE = 10; // of another space, one after each eleventh of them

const arrivals: number[] = []; // at the others
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

/** Everything is due when the webhooks are enabled. @returns the p99 of the others' arrivals since then, ms */
async function segment(backlog: number): Promise<number> {
  await engine.setStatus("paused");
  await idle(engine);
  await forgetOpen(engine.db);
  if (backlog > 0) await fillDue(engine.db, big!.space, big!.webhook, backlog);
  for (const { space, webhook } of others) await fillDue(engine.db, space, webhook, 1);
  arrivals.length = 0;
  const begun = performance.now();
  await engine.setStatus("enabled");
  while (arrivals.length < OTHERS) await pause(2);
  return quantile(arrivals, 0.99) - begun;
}

/** One space records as fast as it can; @returns how long each of another's events took that came meanwhile, ms */
async function twoSpaces(): Promise<number[]> {
  await idle(engine);
  await forgetOpen(engine.db);
  let left = BACKLOG;
  const enqueue = async () => {
    while (left-- > 0) await engine.recorder.record(newEvent(big!.space));
  };
  const enqueued = Promise.all(Array.from({ length: AT_ONCE }, enqueue));
  const ids: string[] = [];
  for (let part = 1; part <= MEANWHILE; part++) {
    while (left > BACKLOG * (1 - part / (MEANWHILE + 1))) await pause(2);
    ids.push(await journal.record(engine, others[0]!));
  }
  await enqueued;
  return journal.times(ids);
}

await segment(0); // warm
const pairs: { alone: number; beside: number }[] = [];
for (let pair = 0; pair < PAIRS; pair++) pairs.push({ alone: await segment(0), beside: await segment(BACKLOG) });
const ratio = median(pairs.map(({ alone, beside }) => beside / alone));
const delay = Math.max(...(await twoSpaces()));
const count = BACKLOG.toLocaleString("en");
report("backlog", [
  {
    what: `${count} due deliveries of one webhook, one each of ${OTHERS.toLocaleString("en")} others: the others' p99`,
    measured: ms(median(pairs.map(({ beside }) => beside))),
    against: `${ms(median(pairs.map(({ alone }) => alone)))} without the backlog`,
    ratio: short(ratio),
    target: "≤ 2",
    holds: ratio <= 2,
  },
  {
    what: `a space enqueues ${count} events, another one ${MEANWHILE} meanwhile: the slowest of these, from call to arrival`,
    measured: seconds(delay),
    target: "≤ 1 s",
    holds: delay <= 1_000,
  },
]);
await engine.end();
sink.end();
