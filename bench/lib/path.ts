import { setTimeout as pause } from "node:timers/promises";
import { signatureHeaders } from "@mave/webhooks/node";
import { type Bench, newEvent } from "./engine.ts";
import { median, perSecond, short } from "./report.ts";

/** How long a segment lasts and how many pairs of them there are; smaller for a quick look. */
export const SEGMENT_MS = Number(process.env.SEGMENT_MS ?? 4_000);
export const PAIRS = Number(process.env.PAIRS ?? 5);
export const CONCURRENCY = 64;

/** Does `work` again and again, 64 at once, for one segment. @returns how often */
export async function repeat(work: (number: number) => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  let done = 0;
  const one = async () => {
    while (performance.now() - begun < SEGMENT_MS) await work(done++);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, one));
  return done;
}

/** The bare loop: the engine's own client posts signed bytes to these in turn. @returns deliveries a second */
export async function bare({ client }: Pick<Bench, "client">, urls: readonly string[]): Promise<number> {
  const event = JSON.stringify({ id: "j3bw2jWb6q7aWGwChsgR86", object: "event", ...newEvent("") });
  const body = Buffer.from(event);
  const secrets = ["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"];
  const signed = signatureHeaders({ body, id: "j3bw2jWb6q7aWGwChsgR86", time: 1_643_723_823, secrets });
  const headers = { "Content-Type": "application/json", "User-Agent": "Mave-Webhooks/bench", ...signed };
  const begun = performance.now();
  const sent = await repeat((number) =>
    client.send({ url: urls[number % urls.length]!, headers, body, deadline_ms: 15_000 }),
  );
  return (sent / (performance.now() - begun)) * 1000;
}

/** Attempts that were answered with 2xx so far. */
export const delivered = ({ node }: Bench): number => node.stats().attempts.succeeded;

/** Resolves when the engine has delivered so many and has written them all down. Costs the database nothing. */
export async function settled(engine: Bench, count: number): Promise<void> {
  while (delivered(engine) < count || engine.node.stats().unsettled > 0) await pause(2);
}

/**
 * Records again and again, 64 at once, and waits until all of it is delivered and settled.
 * @param fanOut deliveries of each event
 * @returns deliveries a second
 */
export async function whole(engine: Bench, fanOut: number, record: (number: number) => Promise<unknown>) {
  const [begun, before] = [performance.now(), delivered(engine)];
  const count = fanOut * (await repeat(record));
  await settled(engine, before + count);
  return (count / (performance.now() - begun)) * 1000;
}

interface Comparison {
  what: string;
  /** Of the ratio, at least. */
  target: number;
  /** Both return how many a second. */
  run: () => Promise<number>;
  against: () => Promise<number>;
  /** What it is held against, in a word. */
  name?: string;
}

/** Runs both in turns. @returns a line of the table, its ratio the median of the pairs */
export async function compare({ what, target, run, against, name = "bare" }: Comparison) {
  const pairs: { against: number; run: number }[] = [];
  for (let pair = 0; pair < PAIRS; pair++) pairs.push({ against: await against(), run: await run() });
  const ratio = median(pairs.map((pair) => pair.run / pair.against));
  return {
    what,
    measured: perSecond(median(pairs.map((pair) => pair.run))),
    against: `${perSecond(median(pairs.map((pair) => pair.against)))} ${name}`,
    ratio: short(ratio),
    target: `≥ ${target}`,
    holds: ratio >= target,
  };
}
