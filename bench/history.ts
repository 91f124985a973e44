/** Measures how long it takes to read the first and last page of each list, per filter, with millions of deliveries. */
import { createDeliveries, type DeliveryQuery } from "../server/src/delivery/deliveries.ts";
import { shortUuid } from "../server/src/kernel/short-uuid.ts";
import { type EventFilter, listEventsBackward, listEventsForward } from "../server/src/store/events.ts";
import { type DeliveryFilter, listDeliveries } from "../server/src/store/history.ts";
import { fillHistory } from "../test/support/history.ts";
import { count, median, ms, report } from "./lib/report.ts";
import { startEngine } from "./lib/start-engine.ts";

const ROWS = Number(process.env.ROWS ?? 10_000_000);
const DAYS = 30;
const REPETITIONS = 7; // the bench reports the median
const PAGE = 21; // the API reads one row more than it returns
const PAGE_MS = 50;
const [LOWEST, HIGHEST] = ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"];
const WEBHOOKS = ["1", "2", "3"].map((digit) => `00000000-0000-4000-8000-00000000001${digit}`);
const [busy, , quiet] = WEBHOOKS as [string, string, string];
const VIDEO = `v${String(Math.floor(ROWS / 60)).padStart(9, "0")}`;

const { db, space, ...engine } = await startEngine({ deliver: false });
await fillHistory(db, { space, webhooks: WEBHOOKS, days: DAYS }, ROWS);

/** A webhook with a third of all deliveries. All of them have the same type, and none succeeded. */
const FAILING = "00000000-0000-4000-8000-000000000014";
const FILL_FAILING = `insert into deliveries (space_id, webhook_id, id, event_id, type, video_id, sequence, previous, status,
    attempts, response_status)
  select space_id, $2, overlay(id::text placing 'c' from 20)::uuid, event_id, type, video_id, sequence, 0, 'failed', 10, 503
  from deliveries where space_id = $1 and type = 'video.created'`;
await db.run({ name: "bench_fill_failing", text: FILL_FAILING }, [space, FAILING]);
await db.run({ name: "bench_analyze", text: "analyze deliveries" });

/** Combinations of filters. Each filter matches many rows, but no row matches both. */
const EMPTY: Record<string, Partial<DeliveryQuery>> = {
  "a webhook and a type it is not subscribed to": { webhook: shortUuid(FAILING), type: "video.uploaded" },
  "succeeded, for a webhook without successes": { webhook: shortUuid(FAILING), status: "succeeded" },
  "failed and 2xx": { status: "failed", response: "2xx" },
  "canceled and 5xx": { status: "canceled", response: "5xx" },
  "failed, for a type without failures": { status: "failed", type: "video.deleted" },
};
const { list } = createDeliveries({ ...engine, db, retries: 9 });

const DELIVERIES: Record<string, Partial<DeliveryFilter>> = {
  "no filter": {},
  "a webhook": { webhook: busy },
  "a quiet webhook": { webhook: quiet },
  "a video": { video: VIDEO },
  "a common type": { type: "video.created" },
  "a rare type": { type: "video.failed" },
  succeeded: { statuses: ["succeeded"] },
  failed: { statuses: ["failed"] },
  canceled: { statuses: ["canceled"] },
  "response 5xx": { response: { from: 500, to: 599 } },
  "response 4xx": { response: { from: 400, to: 499 } },
  "no response": { response: "none" },
  "a webhook's failed": { webhook: busy, statuses: ["failed"] },
  "a webhook's 4xx": { webhook: busy, response: { from: 400, to: 499 } },
};
const ALL = { webhook: null, event: null, video: null, type: null, statuses: null, response: null };
const EVENTS: Record<string, EventFilter> = {
  "no filter": { types: null, video: null },
  "a video": { types: null, video: VIDEO },
  "a common type": { types: ["video.created"], video: null },
  "a rare type": { types: ["video.failed"], video: null },
};

const deliveries = (filter: Partial<DeliveryFilter>, order: "asc" | "desc", high = HIGHEST) =>
  listDeliveries(db, space, { ...ALL, ...filter, low: LOWEST, high }, order, PAGE);

/** Returns a function that reads the last page of the newest-first list, that is, the oldest deliveries. */
async function lastDeliveries(filter: Partial<DeliveryFilter>) {
  const oldest = await deliveries(filter, "asc");
  return () => deliveries(filter, "desc", oldest.at(-1)?.id);
}

interface Timed {
  name: string;
  duration_ms: number;
}

async function timed(name: string, read: () => Promise<unknown>): Promise<Timed> {
  const durations: number[] = [];
  for (let n = 0; n < REPETITIONS; n++) {
    const begin = performance.now();
    await read();
    durations.push(performance.now() - begin);
  }
  return { name, duration_ms: median(durations) };
}

function slowest(what: string, pages: readonly Timed[]) {
  const { name, duration_ms } = pages.reduce((most, page) => (page.duration_ms > most.duration_ms ? page : most));
  return {
    what: `${what}, ${count(ROWS)} in total: slowest of ${pages.length} filters (${name})`,
    measured: ms(duration_ms),
    target: `≤ ${PAGE_MS} ms`,
    holds: duration_ms <= PAGE_MS,
  };
}

const pages: Record<string, Timed[]> = {};
const measure = async (what: string, name: string, read: () => Promise<unknown>) => {
  pages[what] ??= [];
  pages[what].push(await timed(name, read));
};
for (const [name, filter] of Object.entries(DELIVERIES)) {
  await measure("first page of deliveries", name, () => deliveries(filter, "desc"));
  await measure("last page of deliveries", name, await lastDeliveries(filter));
}
for (const [name, query] of Object.entries(EMPTY))
  await measure("empty page of deliveries", name, () => list(space, { limit: PAGE - 1, ...query }));
for (const [name, filter] of Object.entries(EVENTS)) {
  await measure("newest page of events", name, () => listEventsBackward(db, space, filter, null, PAGE));
  await measure("oldest page of events", name, () => listEventsForward(db, space, filter, null, PAGE));
}
report(
  "history",
  Object.entries(pages).map(([what, read]) => slowest(what, read)),
);
await engine.end();
