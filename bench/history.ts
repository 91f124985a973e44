/** The first and the last page of every list, by each filter, with millions of finished deliveries in the tables. */
import { createDeliveries, type DeliveryQuery } from "../server/src/delivery/deliveries.ts";
import { shortUuid } from "../server/src/kernel/short-uuid.ts";
import { type EventFilter, listEventsBackward, listEventsForward } from "../server/src/store/events.ts";
import { type DeliveryFilter, listDeliveries } from "../server/src/store/history.ts";
import { fillHistory } from "../test/support/history.ts";
import { startEngine } from "./lib/engine.ts";
import { median, ms, report } from "./lib/report.ts";

const ROWS = Number(process.env.ROWS ?? 10_000_000);
const DAYS = 30;
const TIMES = 7; // each page is read this often; the median counts
const PAGE = 21; // a page and one more, as the API reads it
const PAGE_MS = 50;
const [LOWEST, HIGHEST] = ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"];
const WEBHOOKS = ["1", "2", "3"].map((digit) => `00000000-0000-4000-8000-00000000001${digit}`);
const [busy, , quiet] = WEBHOOKS as [string, string, string];
const VIDEO = `v${String(Math.floor(ROWS / 60)).padStart(9, "0")}`;

const { db, space, ...engine } = await startEngine({ deliver: false });
await fillHistory(db, { space, webhooks: WEBHOOKS, days: DAYS }, ROWS);

/** A webhook with a third of all: it chose one type, and has never succeeded. */
const FAILING = "00000000-0000-4000-8000-000000000014";
const FILL_FAILING = `insert into deliveries (space_id, webhook_id, id, event_id, type, video_id, sequence, previous, status,
    attempts, response_status)
  select space_id, $2, overlay(id::text placing 'c' from 20)::uuid, event_id, type, video_id, sequence, 0, 'failed', 10, 503
  from deliveries where space_id = $1 and type = 'video.created'`;
await db.run({ name: "bench_fill_failing", text: FILL_FAILING }, [space, FAILING]);
await db.run({ name: "bench_analyze", text: "analyze deliveries" });

/** Filters of which each alone matches many, and all together none. */
const NONE: Record<string, Partial<DeliveryQuery>> = {
  "a webhook and a type that it did not choose": { webhook: shortUuid(FAILING), type: "video.uploaded" },
  "succeeded, of a webhook that never did": { webhook: shortUuid(FAILING), status: "succeeded" },
  "failed and 2xx": { status: "failed", response: "2xx" },
  "canceled and 5xx": { status: "canceled", response: "5xx" },
  "failed, of a type of which none did": { status: "failed", type: "video.deleted" },
};
const { list } = createDeliveries({ ...engine, db, retries: 9 });

const DELIVERIES: Record<string, Partial<DeliveryFilter>> = {
  none: {},
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
  none: { types: null, video: null },
  "a video": { types: null, video: VIDEO },
  "a common type": { types: ["video.created"], video: null },
  "a rare type": { types: ["video.failed"], video: null },
};

const deliveries = (filter: Partial<DeliveryFilter>, order: "asc" | "desc", high = HIGHEST) =>
  listDeliveries(db, space, { ...ALL, ...filter, low: LOWEST, high }, order, PAGE);

/** Newest first: the last page lies below the last ids but a page. */
async function lastDeliveries(filter: Partial<DeliveryFilter>) {
  const oldest = await deliveries(filter, "asc");
  return () => deliveries(filter, "desc", oldest.at(-1)?.id);
}

interface Timed {
  name: string;
  duration_ms: number;
}

async function timed(name: string, read: () => Promise<unknown>): Promise<Timed> {
  const took: number[] = [];
  for (let time = 0; time < TIMES; time++) {
    const begun = performance.now();
    await read();
    took.push(performance.now() - begun);
  }
  return { name, duration_ms: median(took) };
}

function slowest(what: string, pages: readonly Timed[]) {
  const { name, duration_ms } = pages.reduce((most, page) => (page.duration_ms > most.duration_ms ? page : most));
  const rows = ROWS.toLocaleString("en");
  return {
    what: `${what} of ${rows}, the slowest of ${pages.length} filters (${name})`,
    measured: ms(duration_ms),
    target: `≤ ${PAGE_MS} ms`,
    holds: duration_ms <= PAGE_MS,
  };
}

const pages: Record<string, Timed[]> = {};
const note = async (what: string, name: string, read: () => Promise<unknown>) => {
  pages[what] ??= [];
  pages[what].push(await timed(name, read));
};
for (const [name, filter] of Object.entries(DELIVERIES)) {
  await note("first page of the deliveries", name, () => deliveries(filter, "desc"));
  await note("last page of the deliveries", name, await lastDeliveries(filter));
}
for (const [name, query] of Object.entries(NONE))
  await note("a page of deliveries, none there,", name, () => list(space, { limit: PAGE - 1, ...query }));
for (const [name, filter] of Object.entries(EVENTS)) {
  await note("newest page of the events", name, () => listEventsBackward(db, space, filter, null, PAGE));
  await note("oldest page of the events", name, () => listEventsForward(db, space, filter, null, PAGE));
}
report(
  "history",
  Object.entries(pages).map(([what, read]) => slowest(what, read)),
);
await engine.end();
