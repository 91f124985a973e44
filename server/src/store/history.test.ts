import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { fillHistory } from "../../../test/support/history.ts";
import { LIMITS } from "../kernel/limits.ts";
import { UUID_MAX, UUID_MIN } from "../kernel/uuid.ts";
import { type Database, type Sql, transactionOn } from "./db.ts";
import { type EventFilter, listEventsBackward, listEventsForward } from "./events.ts";
import { type DeliveryFilter, findWalkEnd, listDeliveries } from "./history.ts";

const ROWS = 150_000;
const DAYS = 30;
const PAGE = 21;
/** A request reads each day's index once, plus a page of rows. Reading all of the history takes about 5,000 buffers. */
const BUFFERS_MAX = 1_200;

const SPACE = "00000000-0000-4000-8000-000000000001";
const WEBHOOKS = ["1", "2", "3"].map((digit) => `00000000-0000-4000-8000-00000000001${digit}`);
const NO_FILTER = { webhook: null, event: null, video: null, type: null, statuses: null, response: null };

const db = await testDatabase();
const client = await db.connect();
afterAll(() => client.end());
beforeAll(() => fillHistory(db, { space: SPACE, webhooks: WEBHOOKS, days: DAYS }, ROWS), 120_000);

interface PlanNode {
  "Node Type": string;
  "Relation Name"?: string;
  "Index Name"?: string;
  "Actual Rows": number;
  "Rows Removed by Filter"?: number;
  "Actual Loops": number;
  "Shared Hit Blocks": number;
  "Shared Read Blocks": number;
  Plans?: PlanNode[];
}

const literal = (value: unknown): string => {
  if (value === null) return "null";
  if (Array.isArray(value)) return pg.escapeLiteral(`{${value.join(",")}}`);
  return typeof value === "string" ? pg.escapeLiteral(value) : String(value);
};

/** Runs prepared statements, as the service does, and records their plans. */
function explaining(mode: "force_generic_plan" | "force_custom_plan") {
  const plans: PlanNode[] = [];
  const run: Sql["run"] = async ({ text }, values = []) => {
    await client.query(`set plan_cache_mode = ${mode}`);
    await client.query(`prepare explained as ${text}`);
    const given = values.length === 0 ? "" : `(${values.map(literal).join(", ")})`;
    const explain = `explain (analyze, buffers, timing off, format json) execute explained ${given}`;
    const { rows } = await client.query(explain);
    await client.query("deallocate explained");
    plans.push(rows[0]["QUERY PLAN"][0].Plan);
    return [];
  };
  return { sql: { run }, plans };
}

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

/** Returns a description of each problem with a plan. */
function faults(plan: PlanNode): string[] {
  const read = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"];
  const nodes = nodesOf(plan).filter((node) => node["Actual Loops"] > 0);
  const walks = nodes.filter((node) => /^(deliveries|events)_\d/.test(node["Relation Name"] ?? ""));
  // The oldest day contains only rows from after the current time of day. Late in the evening, those rows fit in a few
  // pages, so scanning them is fine.
  const whole = walks.filter((node) => node["Node Type"] === "Seq Scan" && rowsReadBy(node) > ROWS / DAYS / 2);
  const sorts = nodes.filter((node) => node["Node Type"].endsWith("Sort") && inputOf(node) > 10 * PAGE);
  return [
    ...(read > BUFFERS_MAX ? [`reads ${read} buffers`] : []),
    ...whole.map((node) => `walks ${node["Relation Name"]}`),
    ...sorts.map((node) => `sorts ${inputOf(node)} rows`),
  ];
}

const rowsReadBy = (scan: PlanNode): number =>
  (scan["Actual Rows"] + (scan["Rows Removed by Filter"] ?? 0)) * scan["Actual Loops"];

const inputOf = (sort: PlanNode): number =>
  (sort.Plans ?? []).reduce((sum, node) => sum + node["Actual Rows"] * node["Actual Loops"], 0);

const ONE: [string, Partial<DeliveryFilter>][] = [
  ["no filter", {}],
  ["status succeeded", { statuses: ["succeeded"] }],
  ["status failed", { statuses: ["failed"] }],
  ["status canceled", { statuses: ["canceled"] }],
  ["status open", { statuses: ["waiting", "sending", "retrying", "held"] }],
  ["status held", { statuses: ["held"] }],
  ["the busiest webhook", { webhook: WEBHOOKS[0]! }],
  ["a quiet webhook", { webhook: WEBHOOKS[2]! }],
  ["a webhook without any", { webhook: SPACE }],
  ["a common type", { type: "video.created" }],
  ["a rare type", { type: "video.failed" }],
  ["a type without any", { type: "webhook.disabled" }],
  ["a video", { video: "v000005000" }],
  ["response 2xx", { response: { from: 200, to: 299 } }],
  ["response 3xx", { response: { from: 300, to: 399 } }],
  ["response 4xx", { response: { from: 400, to: 499 } }],
  ["response 5xx", { response: { from: 500, to: 599 } }],
  ["no response", { response: "none" }],
];
const kind = ([, filter]: (typeof ONE)[number]) => Object.keys(filter)[0];
const PAIRS = ONE.flatMap((left, at) =>
  ONE.slice(at + 1)
    .filter((right) => kind(left) !== undefined && kind(left) !== kind(right))
    .map((right): (typeof ONE)[number] => [`${left[0]}, ${right[0]}`, { ...left[1], ...right[1] }]),
);

async function edges(): Promise<{ first: string; last: string; day: string }> {
  const text =
    "select (array_agg(id order by id))[30]::text as first, max(id::text) as last from deliveries where space_id = $1";
  const { rows } = await client.query(text, [SPACE]);
  const day = await client.query("select id_floor(now() - interval '10 days')::text as day");
  return { ...rows[0], ...day.rows[0] };
}

/** Reads the first and the last page in both directions, and one page that starts in the middle of the history. */
async function pagesOf(sql: Sql, filter: Partial<DeliveryFilter>): Promise<void> {
  const { first, last, day } = await at;
  const page = (low: string, high: string, order: "asc" | "desc") =>
    listDeliveries(sql, SPACE, { ...NO_FILTER, ...filter, low, high }, order, PAGE);
  await page(UUID_MIN!, UUID_MAX!, "desc");
  await page(UUID_MIN!, first, "desc");
  await page(UUID_MIN!, UUID_MAX!, "asc");
  await page(last, UUID_MAX!, "asc");
  await page(day, UUID_MAX!, "asc");
}
let at: ReturnType<typeof edges>;
beforeAll(() => {
  at = edges();
});

// PostgreSQL may use a generic or a custom plan for a prepared statement. Pairs of filters are tested only with the
// generic plan, which does not depend on the filters' values.
const EACH = [
  ...[...ONE, ...PAIRS].map((filter) => ["force_generic_plan", ...filter] as const),
  ...ONE.map((filter) => ["force_custom_plan", ...filter] as const),
];
describe("a page of deliveries", () => {
  test.each(EACH)("using %s with %s reads few buffers", async (mode, _, filter) => {
    const { sql, plans } = explaining(mode);
    await pagesOf(sql, filter);
    expect(plans.map(faults)).toEqual(plans.map(() => []));
  });
});

describe("the scan limit for a page with several filters", () => {
  test.each(PAIRS)("is found without reading past it: %s", async (_, filter) => {
    for (const walk of ["short", "long"] as const) {
      const { sql, plans } = explaining("force_generic_plan");
      await findWalkEnd(onClient(sql), SPACE, { ...NO_FILTER, ...filter, low: UUID_MIN!, high: UUID_MAX! }, walk);
      const walked = plans.flatMap(nodesOf).filter((node) => /^deliveries_\d/.test(node["Relation Name"] ?? ""));
      const rows = walked.reduce((sum, node) => sum + node["Actual Rows"] * node["Actual Loops"], 0);
      // One extra row per day may be read, to determine which row comes first.
      expect(rows).toBeLessThanOrEqual(
        LIMITS[walk === "short" ? "LIST_SCAN_FIRST_ROWS" : "LIST_SCAN_ROWS_MAX"] + DAYS + 3,
      );
      expect(plans.flatMap(nodesOf).filter((node) => node["Node Type"].endsWith("Sort"))).toEqual([]);
    }
  });

  /** Runs a transaction on the connection whose plans are recorded. */
  const onClient = (sql: Sql): Pick<Database, "transaction"> => ({
    async transaction(work) {
      await client.query("begin");
      const result = await work(transactionOn({ run: sql.run, last: sql.run }, []));
      await client.query("commit");
      return result;
    },
  });
});

interface Finished {
  id: string;
  webhook_id: string;
  type: string;
  video_id: string;
  status: string;
  response_status: number | null;
}

const fits = (row: Finished, { webhook, type, video, statuses, response }: DeliveryFilter): boolean =>
  (webhook === null || row.webhook_id === webhook) &&
  (type === null || row.type === type) &&
  (video === null || row.video_id === video) &&
  (statuses === null || (statuses as readonly string[]).includes(row.status)) &&
  (response === null || hundredOf(response) === Math.floor((row.response_status ?? 0) / 100));

const hundredOf = (response: NonNullable<DeliveryFilter["response"]>) =>
  response === "none" ? 0 : response.from / 100;

test("a page with any filter or pair of filters shows the same rows as a scan of all deliveries", async () => {
  const { rows } = await client.query<Finished>("select * from deliveries where space_id = $1 order by id desc", [
    SPACE,
  ]);
  for (const [name, some] of [...ONE, ...PAIRS]) {
    const filter = { ...NO_FILTER, ...some, low: UUID_MIN!, high: UUID_MAX! };
    const chosen = rows.filter((row) => fits(row, filter)).map(({ id }) => id);
    const page = async (order: "asc" | "desc") =>
      (await listDeliveries(db, SPACE, filter, order, PAGE)).map(({ id }) => id);
    expect([name, await page("desc")]).toEqual([name, chosen.slice(0, PAGE)]);
    expect([name, await page("asc")]).toEqual([name, chosen.slice(-PAGE).reverse()]);
  }
}, 120_000);

const EVENT_FILTERS: [string, EventFilter][] = [
  ["no filter", { types: null, video: null }],
  ["a common type", { types: ["video.created"], video: null }],
  ["rare types", { types: ["video.failed", "webhook.disabled"], video: null }],
  ["common and rare types", { types: ["video.created", "video.failed"], video: null }],
  ["a video", { types: null, video: "v000005000" }],
  ["a video and a type", { types: ["video.created"], video: "v000005000" }],
];

describe.each(["force_generic_plan", "force_custom_plan"] as const)("a page of events using %s", (mode) => {
  test.each(EVENT_FILTERS)("with %s reads few buffers", async (_, filter) => {
    const { sql, plans } = explaining(mode);
    const { rows } = await client.query(
      "select (array_agg(id order by id))[30]::text as first, max(id::text) as last from events where space_id = $1",
      [SPACE],
    );
    for (const cursor of [null, rows[0].first, rows[0].last]) {
      await listEventsForward(sql, SPACE, filter, cursor, PAGE);
      await listEventsBackward(sql, SPACE, filter, cursor, PAGE);
    }
    expect(plans.map(faults)).toEqual(plans.map(() => []));
  });
});
