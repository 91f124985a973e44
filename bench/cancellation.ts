/** How long canceling a backlog takes, and what live traffic to other webhooks notices of it. */
import { createCancellations } from "../server/src/delivery/cancellations.ts";
import { shortUuid } from "../server/src/kernel/short-uuid.ts";
import { fillDue } from "./lib/backlog.ts";
import { idle, startEngine } from "./lib/engine.ts";
import { median, ms, quantile, report, seconds, short } from "./lib/report.ts";
import { startSink } from "./lib/sink.ts";
import { Journal, registerMany, steadily } from "./lib/traffic.ts";

const BACKLOG = Number(process.env.BACKLOG ?? 100_000);
const WEBHOOKS = 100;
const PER_SECOND = Number(process.env.PER_SECOND ?? 200);
const PAIRS = Number(process.env.PAIRS ?? 3);
const SLICE = PER_SECOND / 2; // live events recorded between two looks at whether the cancellation has ended
const ALONE_SLICES = 8;

const journal = new Journal();
const sink = await startSink(journal.arrive);
const engine = await startEngine();
const [big, ...others] = await registerMany(engine, WEBHOOKS, () => sink.url);
const [space, webhook] = [big!.space, shortUuid(big!.webhook)];
await engine.webhooks.update(space, webhook, { status: "paused" });
const cancellations = createCancellations(engine);

/** Live events to the others until `over`. @returns the p99 from call to arrival, ms */
async function traffic(over: (slices: number) => boolean): Promise<number> {
  const ids: string[] = [];
  for (let slices = 0; !over(slices); slices++) {
    await steadily(PER_SECOND, SLICE, async (number) => {
      ids.push(await journal.record(engine, others[number % others.length]!));
    });
  }
  return quantile(await journal.times(ids), 0.99);
}

/** Cancels the backlog while live events go on. */
async function canceling(): Promise<{ duration_ms: number; p99_ms: number }> {
  await fillDue(engine.db, space, big!.webhook, BACKLOG);
  await idle(engine);
  const begun = performance.now();
  let duration_ms = 0;
  const canceled = cancellations.create(space, { webhook }, "the bench").then(({ total }) => {
    duration_ms = performance.now() - begun;
    if (total !== BACKLOG) throw new Error(`${total} of ${BACKLOG} deliveries were canceled`);
  });
  const p99_ms = await traffic((slices) => slices > 0 && duration_ms > 0);
  await canceled;
  return { duration_ms, p99_ms };
}

const alone = () => traffic((slices) => slices === ALONE_SLICES);
await alone(); // warm
const pairs: { alone: number; beside: Awaited<ReturnType<typeof canceling>> }[] = [];
for (let pair = 0; pair < PAIRS; pair++) pairs.push({ alone: await alone(), beside: await canceling() });
const ratio = median(pairs.map(({ alone, beside }) => beside.p99_ms / alone));
const took = median(pairs.map(({ beside }) => beside.duration_ms));
const count = BACKLOG.toLocaleString("en");
report("cancellation", [
  {
    what: `${count} open deliveries of one webhook are canceled, ${PER_SECOND} live events/s beside: the whole request`,
    measured: seconds(took),
    target: "≤ 60 s", // common proxies end a request then
    holds: took <= 60_000,
  },
  {
    what: "meanwhile: p99 of live events to other webhooks",
    measured: ms(median(pairs.map(({ beside }) => beside.p99_ms))),
    against: `${ms(median(pairs.map(({ alone }) => alone)))} without it`,
    ratio: short(ratio),
    target: "",
    holds: true,
  },
]);
await engine.end();
sink.end();
