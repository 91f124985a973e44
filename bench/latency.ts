/** Measures the time from an API call, and from its response, to the event's arrival, at 50 events per second. */
import { setTimeout as pause } from "node:timers/promises";
import { startServer } from "../test/support/server.ts";
import { call, register } from "./lib/client.ts";
import { ms, quantile, report } from "./lib/report.ts";
import { startSink } from "./lib/sink.ts";

const PER_SECOND = 50;
const EVENTS = 1_500;
const WARM_UP = 250;

const arrived = new Map<string, number>();
const sink = await startSink((body) => arrived.set(JSON.parse(body.toString()).data.id, performance.now()));
const mave = await startServer();
const key = await mave.key();
await register(mave.url, key, sink.url, ["video.created"]);

const calls: { id: string; called: number; returned: number }[] = [];
const begin = performance.now();
const running: Promise<void>[] = [];
for (let number = 0; number < EVENTS; number++) {
  await pause(Math.max(0, begin + (number * 1000) / PER_SECOND - performance.now()));
  const called = performance.now();
  running.push(
    call<{ id: string }>(mave.url, key, "POST", "/v1/videos", { name: "A video" }).then(
      ({ id }) => void calls.push({ id, called, returned: performance.now() }),
    ),
  );
}
await Promise.all(running);
for (const deadline = Date.now() + 10_000; arrived.size < EVENTS && Date.now() < deadline; ) await pause(10);
const measured = calls.sort((a, b) => a.called - b.called).slice(WARM_UP);
const missing = measured.filter(({ id }) => !arrived.has(id)).length;
if (missing > 0) throw new Error(`${missing} events did not arrive`);

// The commit happens between the call and its response, so the latency from the commit lies between these two
// latencies.
const fromCall = measured.map(({ id, called }) => arrived.get(id)! - called);
const fromResponse = measured.map(({ id, returned }) => Math.max(0, arrived.get(id)! - returned));
const P99_MAX_MS = 20;
const measured_ms = (values: number[]) => `p50 ${ms(quantile(values, 0.5))}, p99 ${ms(quantile(values, 0.99))}`;
report("latency", [
  {
    what: "API call → arrival (commit → arrival is shorter)",
    measured: measured_ms(fromCall),
    target: `p99 ≤ ${P99_MAX_MS} ms`,
    holds: quantile(fromCall, 0.99) <= P99_MAX_MS,
  },
  { what: "API response → arrival", measured: measured_ms(fromResponse) },
]);
sink.end();
await mave.remove();
