/**
 * Measures the latency from an event's commit to its arrival, at 50 events per second, with the sender and the receiver
 * in this process.
 */
import { setTimeout as pause } from "node:timers/promises";
import { createRecorder } from "../server/src/events/record.ts";
import type { Database } from "../server/src/store/db.ts";
import { ms, quantile, report } from "./lib/report.ts";
import { startSink } from "./lib/sink.ts";
import { newEvent, startEngine } from "./lib/start-engine.ts";
import { registerMany, steadily } from "./lib/traffic.ts";

const PER_SECOND = 50;
const EVENTS = Number(process.env.EVENTS ?? 1_500);
const WARM_UP = Math.min(250, EVENTS / 2);
const P99_MAX_MS = 10;

const arrived = new Map<string, number>();
const sink = await startSink((body) => void arrived.set(body.toString("latin1", 7, 29), performance.now()));
const engine = await startEngine();
const [webhook] = await registerMany(engine, 1, () => sink.url);

const committed: number[] = [];
const db: Database = {
  ...engine.db,
  transaction: (work) =>
    engine.db.transaction((tx) => {
      tx.afterCommit(() => committed.push(performance.now())); // runs before the recorder's own hook
      return work(tx);
    }),
};
const { clock, random, signals, node } = engine;
const recorder = createRecorder({ db, clock, random, signals, dispatcher: node.dispatcher });

const ids: string[] = [];
let last: Promise<unknown> = Promise.resolve();
await steadily(PER_SECOND, EVENTS, () => {
  // Record one event at a time, so that commit times and event ids are in the same order.
  last = last.then(async () => ids.push((await recorder.recordAlone(newEvent(webhook!.space))).id));
  return last;
});
for (const deadline = Date.now() + 10_000; arrived.size < EVENTS && Date.now() < deadline; ) await pause(10);
if (arrived.size < EVENTS) throw new Error(`${EVENTS - arrived.size} events did not arrive`);

const latencies = ids.map((id, index) => arrived.get(id)! - committed[index]!).slice(WARM_UP);
const p99 = quantile(latencies, 0.99);
report("arrival", [
  {
    what: `commit → arrival, ${PER_SECOND} events/s`,
    measured: `p50 ${ms(quantile(latencies, 0.5))}, p99 ${ms(p99)}`,
    target: `p99 ≤ ${P99_MAX_MS} ms`,
    holds: p99 <= P99_MAX_MS,
  },
]);
await engine.end();
sink.end();
