/** Measures how a replay, at the default rate and without a rate limit, affects live traffic. */
import { createReplays } from "../server/src/delivery/replays.ts";
import { shortUuid } from "../server/src/kernel/short-uuid.ts";
import { fillSucceeded } from "./lib/fill-tables.ts";
import { compare, count, ms, quantile, report } from "./lib/report.ts";
import { startSink } from "./lib/sink.ts";
import { startEngine } from "./lib/start-engine.ts";
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
await fillSucceeded(engine.db, replayed.space, replayed.webhook, REPLAYED);
const replays = createReplays(engine);
replays.start();
const webhook = shortUuid(replayed.webhook);
const range = { webhook, since: 0, until: Math.floor(Date.now() / 1000) + 60 };
const [usual, unlimited] = [await prepare({}), await prepare({ rate: null })];

/** Creates a replay of all events and pauses it. @returns the replay's id */
async function prepare(more: { rate?: null }): Promise<string> {
  const { id } = await replays.create(engine.db, replayed.space, { ...range, ...more }, null);
  await replays.update(engine.db, replayed.space, id, { status: "paused" });
  return id;
}

interface Segment {
  /** The p99 latency of live events to the replayed webhook (`same`) and to the other webhooks (`others`), in ms. */
  same: number;
  others: number;
}

async function traffic(): Promise<Segment> {
  const [same, others]: [string[], string[]] = [[], []];
  await steadily(PER_SECOND, EVENTS, async (number) => {
    const index = number % WEBHOOKS;
    (index === 0 ? same : others).push(await journal.record(engine, webhooks[index]!));
  });
  const p99 = async (ids: string[]) => quantile(await journal.latencies(ids), 0.99);
  return { same: await p99(same), others: await p99(others) };
}

async function during(replay: string): Promise<Segment> {
  await replays.update(engine.db, replayed.space, replay, { status: "running" });
  const segment = await traffic();
  const { status } = await replays.get(replayed.space, replay);
  if (status === "done") throw new Error("The replay ended before the segment did. Increase REPLAYED.");
  await replays.update(engine.db, replayed.space, replay, { status: "paused" });
  return segment;
}

await traffic(); // warm-up
const rounds: { none: Segment; usual: Segment; unlimited: Segment }[] = [];
for (let round = 0; round < PAIRS; round++)
  rounds.push({ none: await traffic(), usual: await during(usual), unlimited: await during(unlimited) });

const row = (what: string, replay: "usual" | "unlimited", webhook: keyof Segment, atMost?: number) =>
  compare(
    `a replay of ${count(REPLAYED)} events ${what}`,
    rounds.map((round) => ({ value: round[replay][webhook], baseline: round.none[webhook] })),
    { format: ms, label: "without a replay", ...(atMost !== undefined && { atMost }) },
  );
report("replay", [
  row("at the default rate: p99 of live events to other webhooks", "usual", "others", 1.3),
  row("at the default rate: p99 of live events to the same webhook", "usual", "same"),
  row("without a rate limit: p99 of live events to other webhooks", "unlimited", "others"),
]);
await replays.stop();
await engine.end();
sink.end();
