import { expect, test } from "vitest";
import { longUuid } from "../../server/src/kernel/short-uuid.ts";
import { addHealth } from "../../server/src/store/webhook-hours.ts";
import { testApi } from "../support/api.ts";
import { testDatabase } from "../support/database.ts";

const HOUR_MS = 3_600_000;
const db = await testDatabase();
const api = await testApi(db);

test("a webhook's health lists each hour's errors, most frequent first", async () => {
  const body = { url: "https://r.example.com/errors", events: ["video.created"] };
  const { id } = (await api.ask("POST", "/v1/webhooks", body)).json;
  const failed = (hour_ms: number, errors: Record<string, number>) => {
    const sum = Object.values(errors).reduce((a, b) => a + b);
    const counts = { succeeded: 1, failed: sum, errors, timings: {} };
    return db.transaction((tx) =>
      addHealth(tx, [{ space_id: api.space, webhook_id: longUuid(id)!, hour_ms, ...counts }], []),
    );
  };
  const now = Date.now();
  const early = now - (now % HOUR_MS) - 5 * HOUR_MS;
  const late = early + 3 * HOUR_MS;
  await failed(early, { timeout: 1, "503": 1 });
  await failed(early, { "503": 1 });
  await failed(late, { timeout: 3 });

  const { json } = await api.ask("GET", `/v1/webhooks/${id}/health`);
  const [timeouts, of503] = [
    { word: "timeout", count: 4 },
    { word: "503", count: 2 },
  ];
  expect(json.errors).toEqual([timeouts, of503]);
  expect(json.hours).toHaveLength(24);
  const hours: { failed: number; errors: unknown[] }[] = json.hours;
  expect(hours.filter(({ errors }) => errors.length > 0)).toMatchObject([
    { hour: early / 1_000, failed: 3, errors: [of503, { word: "timeout", count: 1 }] },
    { hour: late / 1_000, failed: 3, errors: [{ word: "timeout", count: 3 }] },
  ]);
});
