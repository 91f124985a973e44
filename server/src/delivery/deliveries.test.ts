import { beforeAll, describe, expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { LIMITS } from "../kernel/limits.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import { createSignals } from "../kernel/signals.ts";
import { createDeliveries, type DeliveryQuery } from "./deliveries.ts";

const SPACE = "00000000-0000-4000-8000-000000000001";
const WEBHOOK = "00000000-0000-4000-8000-000000000011";
const ROWS = LIMITS.LIST_SCAN_FIRST_ROWS + LIMITS.LIST_SCAN_ROWS_MAX + 5_000;
/**
 * Positions of the matching deliveries, counted from the newest. The short walk covers two of them, the long walk
 * covers the next two, and neither covers the rest. The last one is pending.
 */
const UPLOADED = [500, 1_999, 2_000, 10_000, ROWS - 2_000, ROWS - 1_000];

const db = await testDatabase();
const deliveries = createDeliveries({ db, signals: createSignals(), retries: 9 });

// The rows are one second apart. Rows in UPLOADED have a different type. All rows except the pending one succeeded.
const ROW = `select $1::uuid as space_id, $2::uuid as webhook_id, id, id as event_id,
    case when n = any($3::int[]) then 'video.uploaded' else 'video.created' end as type, 'v' || n as video_id, n
  from generate_series(0, $4::int) n, lateral (select (left(id_floor(now() - n * interval '1 s')::text, 18)
    || '-a000-' || lpad(to_hex(n), 12, '0'))::uuid as id) made`;
const FINISHED = `insert into deliveries (space_id, webhook_id, id, event_id, type, video_id, sequence, previous, status,
    attempts, response_status) select space_id, webhook_id, id, event_id, type, video_id, 1, 0, 'succeeded', 1, 200
  from (${ROW}) made where n <> ($3::int[])[array_length($3::int[], 1)]`;
const OPEN = `insert into pending_deliveries (space_id, webhook_id, id, event_id, type, video_id, sequence, previous, due_at)
  select space_id, webhook_id, id, event_id, type, video_id, 1, 0, now()
  from (${ROW}) made where n = ($3::int[])[array_length($3::int[], 1)]`;

beforeAll(async () => {
  const values = [SPACE, WEBHOOK, UPLOADED, ROWS - 1];
  await db.run({ name: "some_finished", text: FINISHED }, values);
  await db.run({ name: "one_open", text: OPEN }, values);
  await db.run({ name: "some_analyzed", text: "analyze deliveries" });
}, 120_000);

/** Reads a list to its end. @returns the positions of the deliveries on each page */
async function pages(query: Partial<DeliveryQuery>): Promise<number[][]> {
  const found: number[][] = [];
  for (let after: string | null | undefined; after !== null; ) {
    const page = await deliveries.list(SPACE, { limit: 100, ...query, after: after ?? undefined });
    found.push(page.data.map(({ video }) => Number(video!.slice(1))));
    expect(page.next !== null).toBe(page.has_more);
    after = page.next;
  }
  return found;
}

const AT_ONCE = LIMITS.LIST_SCAN_FIRST_ROWS + LIMITS.LIST_SCAN_ROWS_MAX;

describe("a list whose filters match almost no deliveries", () => {
  test("continues each page where the previous one stopped, without gaps or duplicates", async () => {
    const [near, far] = [UPLOADED.filter((newer) => newer < AT_ONCE), UPLOADED.filter((newer) => newer >= AT_ONCE)];
    expect(await pages({ type: "video.uploaded" })).toEqual([near, far]);
    expect(await pages({ type: "video.uploaded", webhook: shortUuid(WEBHOOK) })).toEqual([near, far]);
    expect(await pages({ type: "video.uploaded", response: "2xx", limit: 2 })).toEqual([
      [500, 1_999],
      [2_000, 10_000],
      [ROWS - 2_000],
    ]);
  });

  test("may have empty pages before its last page", async () => {
    expect(await pages({ type: "video.processing" })).toEqual([[], []]);
    expect(await pages({ type: "video.uploaded", status: "failed" })).toEqual([[]]); // an index shows there are none
    expect(await pages({ type: "video.uploaded", status: "pending" })).toEqual([UPLOADED.slice(-1)]);
  });

  test("reads only a limited part of the history per page, even if an index matches many rows", async () => {
    await db.run({ name: "all_failed", text: "update deliveries set status = 'failed', response_status = 500" });
    expect(await pages({ status: "succeeded", webhook: shortUuid(WEBHOOK) })).toEqual([[], []]);
    expect(await pages({ type: "video.processing", status: "failed" })).toEqual([[], []]);
    expect(await pages({ status: "canceled", response: "5xx", webhook: shortUuid(WEBHOOK) })).toEqual([[], []]);
  });
});
