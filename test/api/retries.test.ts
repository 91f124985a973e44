import { expect, test } from "vitest";
import { testApi } from "../support/api.ts";
import { testDatabase } from "../support/database.ts";
import { happen } from "../support/engine.ts";

const api = await testApi(await testDatabase());

/** A webhook with this many deliveries that have failed once and are due in an hour. */
async function retrying(deliveries: number): Promise<string> {
  const { json } = await api.ask("POST", "/v1/webhooks", { url: "https://r.example.com/", events: ["video.created"] });
  for (let n = 0; n < deliveries; n++) await happen(api, `RETRY${json.id.slice(0, 4)}${n}`);
  const fail = "update pending_deliveries set attempt = 1, step = 1, due_at = now() + interval '1 hour'";
  await api.db.run({ name: "", text: fail });
  return json.id;
}

const next = async (webhook: string): Promise<number[]> => {
  const { json } = await api.ask("GET", `/v1/deliveries?webhook=${webhook}&status=retrying`);
  return json.data.map(({ next_attempt }: { next_attempt: number }) => next_attempt - Date.now() / 1_000);
};

test("POST /v1/webhooks/{id}/retries makes retries due, counts them once, and is recorded in the audit log", async () => {
  const webhook = await retrying(3);
  expect(Math.min(...(await next(webhook)))).toBeGreaterThan(3_500);
  const path = `/v1/webhooks/${webhook}/retries`;
  const { status, json } = await api.ask("POST", path);
  expect([status, json]).toEqual([200, { object: "retries", webhook, count: 3, has_more: false }]);
  expect(Math.max(...(await next(webhook)))).toBeLessThan(5);
  expect((await api.ask("POST", path)).json.count).toBe(0);
  const { data } = (await api.ask("GET", "/v1/audit-log?limit=100")).json;
  const entries = data.filter(({ subject }: { subject: string }) => subject === webhook);
  expect(entries.map(({ action, details }: { action: string; details: object }) => [action, details])).toEqual([
    ["webhook.retried", { count: 0 }],
    ["webhook.retried", { count: 3 }],
    ["webhook.created", { url: "https://r.example.com/" }],
  ]);
});

test("POST /v1/webhooks/{id}/retries requires write access to a webhook of the same space that is enabled", async () => {
  const webhook = await retrying(1);
  const path = `/v1/webhooks/${webhook}/retries`;
  const as = (key: string) => ({ authorization: `Bearer ${key}` });
  expect((await api.ask("POST", path, undefined, as(api.keys.read))).json.code).toBe("SCOPE_INSUFFICIENT");
  const stranger = await api.key("write", await api.newSpace());
  expect((await api.ask("POST", path, undefined, as(stranger))).json.code).toBe("NOT_FOUND");
  await api.ask("PATCH", `/v1/webhooks/${webhook}`, { status: "paused" });
  expect((await api.ask("POST", path)).json).toMatchObject({ status: 409, code: "CONFLICT" });
  await api.ask("PATCH", `/v1/webhooks/${webhook}`, { status: "enabled" });
  expect(Math.max(...(await next(webhook)))).toBeLessThan(5); // the resume has made it due
});
