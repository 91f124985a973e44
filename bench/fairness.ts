/** 1,000 webhooks with even traffic, and what it costs the others when some of them hang. */

import { forgetOpen } from "./lib/backlog.ts";
import { idle, startEngine } from "./lib/engine.ts";
import { median, ms, quantile, report, short } from "./lib/report.ts";
import { startSink } from "./lib/sink.ts";
import { Journal, registerMany, steadily } from "./lib/traffic.ts";

const WEBHOOKS = Number(process.env.WEBHOOKS ?? 1_000);
const PER_SECOND = Number(process.env.PER_SECOND ?? 500);
const EVENTS = Number(process.env.EVENTS ?? 7_500);
const PAIRS = Number(process.env.PAIRS ?? 3);
const MANY = WEBHOOKS / 10;

let hanging = 0;
const journal = new Journal();
const sink = await startSink(journal.arrive, {
  hosts: WEBHOOKS,
  hangs: (path) => Number(path.slice(1)) < hanging,
});
const engine = await startEngine();
const webhooks = await registerMany(engine, WEBHOOKS, sink.urlOf);

/** @returns the p99 of those that never hang, ms */
async function segment(count: number): Promise<number> {
  hanging = count;
  const others: string[] = [];
  await steadily(PER_SECOND, EVENTS, async (number) => {
    const which = number % WEBHOOKS;
    const id = await journal.record(engine, webhooks[which]!);
    if (which >= MANY) others.push(id);
  });
  const times = await journal.times(others);
  hanging = 0;
  sink.letGo();
  await idle(engine);
  await forgetOpen(engine.db); // what waits for its retry
  return quantile(times, 0.99);
}

await segment(0); // warm
const rounds: { none: number; one: number; many: number }[] = [];
for (let pair = 0; pair < PAIRS; pair++)
  rounds.push({ none: await segment(0), one: await segment(1), many: await segment(MANY) });

function line(name: "one" | "many", count: number, most: number) {
  const ratio = median(rounds.map((round) => round[name] / round.none));
  return {
    what: `${count} of ${WEBHOOKS.toLocaleString("en")} webhooks hang, ${PER_SECOND} events/s: the others' p99`,
    measured: ms(median(rounds.map((round) => round[name]))),
    against: `${ms(median(rounds.map(({ none }) => none)))} when none hangs`,
    ratio: short(ratio),
    target: `≤ ${most}`,
    holds: ratio <= most,
  };
}
report("fairness", [line("one", 1, 1.2), line("many", MANY, 2)]);
await engine.end();
sink.end();
