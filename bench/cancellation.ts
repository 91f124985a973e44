/** Measures how long it takes to cancel a backlog, and how that affects live traffic to other webhooks. */
import { createCancellations } from "../server/src/delivery/cancellations.ts";
import { shortUuid } from "../server/src/kernel/short-uuid.ts";
import { fillDue } from "./lib/fill-tables.ts";
import { compare, count, median, ms, quantile, report, seconds } from "./lib/report.ts";
import { startSink } from "./lib/sink.ts";
import { idle, startEngine } from "./lib/start-engine.ts";
import { Journal, registerMany, steadily } from "./lib/traffic.ts";

const BACKLOG = Number(process.env.BACKLOG ?? 100_000);
const WEBHOOKS = 100;
const PER_SECOND = Number(process.env.PER_SECOND ?? 200);
const PAIRS = Number(process.env.PAIRS ?? 3);
const SLICE = PER_SECOND / 2; // live events to send before checking again whether the cancellation has finished
const BASELINE_SLICES = 8;

const journal = new Journal();
const sink = await startSink(journal.arrive);
const engine = await startEngine();
const [big, ...others] = await registerMany(engine, WEBHOOKS, () => sink.url);
const [space, webhook] = [big!.space, shortUuid(big!.webhook)];
await engine.webhooks.update(engine.db, space, webhook, { status: "paused" });
const cancellations = createCancellations(engine);

/** Sends live events to the other webhooks until `isOver` returns true. @returns the p99 latency, in ms */
async function traffic(isOver: (slices: number) => boolean): Promise<number> {
  const ids: string[] = [];
  for (let slices = 0; !isOver(slices); slices++) {
    await steadily(PER_SECOND, SLICE, async (number) => {
      ids.push(await journal.record(engine, others[number % others.length]!));
    });
  }
  return quantile(await journal.latencies(ids), 0.99);
}

async function cancelDuringTraffic(): Promise<{ duration_ms: number; p99_ms: number }> {
  await fillDue(engine.db, space, big!.webhook, BACKLOG);
  await idle(engine);
  const begin = performance.now();
  let duration_ms = 0;
  const canceled = cancellations.create(space, { webhook }, "the bench").then(({ total }) => {
    duration_ms = performance.now() - begin;
    if (total !== BACKLOG) throw new Error(`${total} of ${BACKLOG} deliveries were canceled`);
  });
  const p99_ms = await traffic((slices) => slices > 0 && duration_ms > 0);
  await canceled;
  return { duration_ms, p99_ms };
}

const baseline = () => traffic((slices) => slices === BASELINE_SLICES);
await baseline(); // warm-up
const pairs: { baseline: number; value: number; duration_ms: number }[] = [];
for (let pair = 0; pair < PAIRS; pair++) {
  const [before, { p99_ms, duration_ms }] = [await baseline(), await cancelDuringTraffic()];
  pairs.push({ baseline: before, value: p99_ms, duration_ms });
}
const duration_ms = median(pairs.map((pair) => pair.duration_ms));
report("cancellation", [
  {
    what: `canceling one webhook's ${count(BACKLOG)} pending deliveries with ${PER_SECOND} live events/s: request duration`,
    measured: seconds(duration_ms),
    target: "≤ 60 s", // proxies commonly time out requests after 60 s
    holds: duration_ms <= 60_000,
  },
  compare("p99 of live events to other webhooks during the cancellation", pairs, {
    format: ms,
    label: "without a cancellation",
  }),
]);
await engine.end();
sink.end();
