import { setTimeout as pause } from "node:timers/promises";
import { signatureHeaders } from "@mave/webhooks/node";
import { compare, type Pair, perSecond, type Row } from "./report.ts";
import { type Bench, newEvent } from "./start-engine.ts";

/** The length of a segment and the number of segment pairs. For a quick run, reduce both. */
export const SEGMENT_MS = Number(process.env.SEGMENT_MS ?? 4_000);
export const PAIRS = Number(process.env.PAIRS ?? 5);
export const CONCURRENCY = 64;

/** Repeats `work` for one segment, with 64 calls in flight. @returns the number of calls */
export async function repeat(work: (number: number) => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  let done = 0;
  const one = async () => {
    while (performance.now() - begin < SEGMENT_MS) await work(done++);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, one));
  return done;
}

/**
 * Runs the bare loop, which uses the engine's client to post the same signed bytes to each URL in turn.
 * @returns requests per second
 */
export async function bare({ client }: Pick<Bench, "client">, urls: readonly string[]): Promise<number> {
  const event = JSON.stringify({ id: "j3bw2jWb6q7aWGwChsgR86", object: "event", ...newEvent("") });
  const body = Buffer.from(event);
  const secrets = ["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"];
  const signed = signatureHeaders({ body, id: "j3bw2jWb6q7aWGwChsgR86", time: 1_643_723_823, secrets });
  const headers = { "Content-Type": "application/json", "User-Agent": "Mave-Webhooks/bench", ...signed };
  const begin = performance.now();
  const sent = await repeat((number) =>
    client.send({ url: urls[number % urls.length]!, headers, body, deadline_ms: 15_000 }),
  );
  return (sent / (performance.now() - begin)) * 1000;
}

/** Returns the number of successful attempts so far. */
export const delivered = ({ node }: Bench): number => node.stats().attempts.succeeded;

/** Resolves when the engine has made and settled `count` successful attempts. Does not query the database. */
export async function settled(engine: Bench, count: number): Promise<void> {
  while (delivered(engine) < count || engine.node.stats().unsettled > 0) await pause(2);
}

/**
 * Records events for one segment, with 64 calls in flight, and waits until all their deliveries are settled.
 * @param fanOut deliveries per event
 * @returns deliveries per second
 */
export async function whole(engine: Bench, fanOut: number, record: (number: number) => Promise<unknown>) {
  const [begin, before] = [performance.now(), delivered(engine)];
  const count = fanOut * (await repeat(record));
  await settled(engine, before + count);
  return (count / (performance.now() - begin)) * 1000;
}

interface Alternation {
  /** Returns a rate per second, as does `baseline`. */
  run: () => Promise<number>;
  baseline: () => Promise<number>;
  label?: string;
  atLeast: number;
}

/** Alternates between the baseline and the measurement, then compares the pairs. */
export async function alternate(
  what: string,
  { run, baseline, label = "for a bare loop", atLeast }: Alternation,
): Promise<Row> {
  const pairs: Pair[] = [];
  for (let pair = 0; pair < PAIRS; pair++) pairs.push({ baseline: await baseline(), value: await run() });
  return compare(what, pairs, { format: perSecond, label, atLeast });
}
