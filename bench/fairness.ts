/** Measures how much hanging receivers delay other webhooks when traffic is spread evenly over 1,000 webhooks. */
import { removePending } from "./lib/fill-tables.ts";
import { compare, count, ms, quantile, report } from "./lib/report.ts";
import { startSink } from "./lib/sink.ts";
import { idle, startEngine } from "./lib/start-engine.ts";
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

/**
 * Sends events at an even rate while some webhooks hang.
 * @returns the p99 latency of the webhooks that never hang in any segment, in ms
 */
async function segment(hangingWebhooks: number): Promise<number> {
  hanging = hangingWebhooks;
  const others: string[] = [];
  await steadily(PER_SECOND, EVENTS, async (number) => {
    const index = number % WEBHOOKS;
    const id = await journal.record(engine, webhooks[index]!);
    if (index >= MANY) others.push(id);
  });
  const latencies = await journal.latencies(others);
  hanging = 0;
  sink.release();
  await idle(engine);
  await removePending(engine.db); // removes retries that are not due yet
  return quantile(latencies, 0.99);
}

await segment(0); // warm-up
const rounds: { none: number; one: number; many: number }[] = [];
for (let pair = 0; pair < PAIRS; pair++)
  rounds.push({ none: await segment(0), one: await segment(1), many: await segment(MANY) });

const row = (round: "one" | "many", hangingWebhooks: number, atMost: number) =>
  compare(
    `${hangingWebhooks} of ${count(WEBHOOKS)} webhooks hanging, ${PER_SECOND} events/s: p99 of the other webhooks`,
    rounds.map((values) => ({ value: values[round], baseline: values.none })),
    { format: ms, label: "with none hanging", atMost },
  );
report("fairness", [row("one", 1, 1.2), row("many", MANY, 2)]);
await engine.end();
sink.end();
