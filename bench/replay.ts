/** What a replay of 100,000 events costs live traffic: the same traffic beside one at its usual rate, beside one without a limit, and alone. */
import { createReplays } from "../server/src/delivery/replays.ts";
import { shortUuid } from "../server/src/kernel/short-uuid.ts";
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
const range = { webhook, since: 0, until: Math.floor(Date.now() / 1000) + 60 };
const [usual, unlimited] = [await prepare({}), await prepare({ rate: null })];

/** Asks for a replay of everything, and pauses it. @returns its id */
async function prepare(more: { rate?: null }): Promise<string> {
  const { id } = await replays.create(replayed.space, { ...range, ...more }, null);
  await replays.update(replayed.space, id, { status: "paused" });
  return id;
}

interface Segment {
  /** p99 of live events to the webhook that is replayed to, and to the others, ms. */
  same: number;
  others: number;
}

async function traffic(): Promise<Segment> {
  const [same, others]: [string[], string[]] = [[], []];
  await steadily(PER_SECOND, EVENTS, async (number) => {
    const which = number % WEBHOOKS;
    (which === 0 ? same : others).push(await journal.record(engine, webhooks[which]!));
  });
  const times = { same: await journal.times(same), others: await journal.times(others) };
  return { same: quantile(times.same, 0.99), others: quantile(times.others, 0.99) };
}

async function beside(replay: string): Promise<Segment> {
  await replays.update(replayed.space, replay, { status: "running" });
  const segment = await traffic();
  const { status } = await replays.get(replayed.space, replay);
  if (status === "done") throw new Error("The replay has ended before the bench: raise REPLAYED.");
  await replays.update(replayed.space, replay, { status: "paused" });
  return segment;
}

await traffic(); // warm
const rounds: { alone: Segment; usual: Segment; unlimited: Segment }[] = [];
for (let round = 0; round < PAIRS; round++)
  rounds.push({ alone: await traffic(), usual: await beside(usual), unlimited: await beside(unlimited) });

function line(what: string, replay: "usual" | "unlimited", which: keyof Segment, most: number | null = null) {
  const ratio = median(rounds.map((round) => round[replay][which] / round.alone[which]));
  return {
    what: `a replay of ${REPLAYED.toLocaleString("en")}, ${what}`,
    measured: ms(median(rounds.map((round) => round[replay][which]))),
    against: `${ms(median(rounds.map((round) => round.alone[which])))} while none runs`,
    ratio: short(ratio),
    target: most === null ? "" : `≤ ${most}`,
    holds: most === null || ratio <= most,
  };
}
report("replay", [
  line("at its usual rate: p99 of live events to other webhooks", "usual", "others", 1.3),
  line("at its usual rate: p99 of live events to the same webhook", "usual", "same"),
  line("without a limit: p99 of live events to other webhooks", "unlimited", "others"),
]);
await replays.stop();
await engine.end();
sink.end();
