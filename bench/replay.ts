/** What a replay of 100,000 events costs live traffic: the same traffic while the replay runs and while it is paused. */
import { createReplays } from "../server/src/delivery/replays.ts";
import { shortUuid } from "../server/src/events/short-uuid.ts";
import { fillFinished } from "./lib/backlog.ts";
import { startEngine } from "./lib/engine.ts";
import { median, ms, quantile, report, short } from "./lib/report.ts";
import { startSink } from "./lib/sink.ts";
import { Journal, registerMany, steadily } from "./lib/traffic.ts";

const REPLAYED = Number(process.env.REPLAYED ?? 100_000);
const WEBHOOKS = 100;
const PER_SECOND = Number(process.env.PER_SECOND ?? 200);
const EVENTS = Number(process.env.EVENTS ?? 4_000);
const PAIRS = Number(process.env.PAIRS ?? 3);

const journal = new Journal();
const sink = await startSink(journal.arrive);
const engine = await startEngine();
const webhooks = await registerMany(engine, WEBHOOKS, () => sink.url);
const replayed = webhooks[0]!;
await fillFinished(engine.db, replayed.space, replayed.webhook, REPLAYED);
const replays = createReplays(engine);
replays.start();
const webhook = shortUuid(replayed.webhook);
const until = Math.floor(Date.now() / 1000) + 60;
const { id } = await replays.create(replayed.space, { webhook, since: 0, until }, null);

/** @returns the p99 of live events to the webhook that is replayed to, and to the others, ms */
async function segment(status: "running" | "paused"): Promise<{ same: number; others: number }> {
  const replay = await replays.get(replayed.space, id);
  if (replay.status === "done") throw new Error("The replay has ended before the bench: raise REPLAYED.");
  if (replay.status !== status) await replays.update(replayed.space, id, { status });
  const [same, others]: [string[], string[]] = [[], []];
  await steadily(PER_SECOND, EVENTS, async (number) => {
    const which = number % WEBHOOKS;
    (which === 0 ? same : others).push(await journal.record(engine, webhooks[which]!));
  });
  const times = { same: await journal.times(same), others: await journal.times(others) };
  return { same: quantile(times.same, 0.99), others: quantile(times.others, 0.99) };
}

await segment("paused"); // warm
const pairs: { paused: Awaited<ReturnType<typeof segment>>; running: Awaited<ReturnType<typeof segment>> }[] = [];
for (let pair = 0; pair < PAIRS; pair++)
  pairs.push({ paused: await segment("paused"), running: await segment("running") });

function line(which: "same" | "others", what: string, most: number | null) {
  const ratio = median(pairs.map(({ paused, running }) => running[which] / paused[which]));
  return {
    what: `a replay of ${REPLAYED.toLocaleString("en")} runs: p99 of live events to ${what}`,
    measured: ms(median(pairs.map(({ running }) => running[which]))),
    against: `${ms(median(pairs.map(({ paused }) => paused[which])))} while it is paused`,
    ratio: short(ratio),
    target: most === null ? "" : `≤ ${most}`,
    holds: most === null || ratio <= most,
  };
}
report("replay", [line("others", "other webhooks", 1.3), line("same", "the same webhook", null)]);
await replays.stop();
await engine.end();
sink.end();
