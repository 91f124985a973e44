/** How long an event takes to its receiver at 50 events a second: from the API call, and from its response. */
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

const times: { id: string; asked: number; answered: number }[] = [];
const begun = performance.now();
const calls: Promise<void>[] = [];
for (let number = 0; number < EVENTS; number++) {
  await pause(Math.max(0, begun + (number * 1000) / PER_SECOND - performance.now()));
  const asked = performance.now();
  calls.push(
    call<{ id: string }>(mave.url, key, "POST", "/v1/videos", { name: "A video" }).then(
      ({ id }) => void times.push({ id, asked, answered: performance.now() }),
    ),
  );
}
await Promise.all(calls);
for (const deadline = Date.now() + 10_000; arrived.size < EVENTS && Date.now() < deadline; ) await pause(10);
const measured = times.sort((a, b) => a.asked - b.asked).slice(WARM_UP);
const missing = measured.filter(({ id }) => !arrived.has(id)).length;
if (missing > 0) throw new Error(`${missing} events did not arrive`);

// The commit lies between the call and its response, so the first figure is more than commit → arrival, the second less.
const fromCall = measured.map(({ id, asked }) => arrived.get(id)! - asked);
const fromResponse = measured.map(({ id, answered }) => Math.max(0, arrived.get(id)! - answered));
const line = (what: string, values: number[], most: number | null) => ({
  what,
  measured: `p50 ${ms(quantile(values, 0.5))}, p99 ${ms(quantile(values, 0.99))}`,
  target: most === null ? "" : `p99 ≤ ${most} ms`,
  holds: most === null || quantile(values, 0.99) <= most,
});
report("latency", [
  line("API call → arrival (commit → arrival is less)", fromCall, 20),
  line("response of that call → arrival", fromResponse, null),
]);
sink.end();
await mave.remove();
