import { expect, test } from "vitest";
import { testApi } from "../support/api.ts";
import { testDatabase } from "../support/database.ts";
import { happen } from "../support/engine.ts";

const db = await testDatabase();
const api = await testApi(db);

async function heldWebhook(): Promise<string> {
  const body = { url: "https://r.example.com/held", events: ["video.created"] };
  const { json } = await api.ask("POST", "/v1/webhooks", body);
  await api.ask("PATCH", `/v1/webhooks/${json.id}`, { status: "paused" });
  return json.id;
}
const happenThrice = async (letter: string) => {
  for (let n = 0; n < 3; n++) await happen(api, `${letter}${n}`.padEnd(10, "0"));
};

test("a cancellation takes effect once per Idempotency-Key, and the audit log records who canceled the deliveries and how many", async () => {
  const webhook = await heldWebhook();
  await happenThrice("a");
  const counted = await api.ask("POST", "/v1/cancellations", { webhook, dry_run: true });
  expect([counted.status, counted.json.total]).toEqual([201, 3]);
  const once = { "idempotency-key": "cancel" };
  const first = await api.ask("POST", "/v1/cancellations", { webhook }, once);
  await happenThrice("b");
  const again = await api.ask("POST", "/v1/cancellations", { webhook }, once);
  expect(again.text).toBe(first.text);
  expect(first.json).toMatchObject({ object: "cancellation", total: 3 });
  const held = await api.ask("GET", `/v1/deliveries?webhook=${webhook}&status=held`);
  expect(held.json.data).toHaveLength(3);
  const canceled = await api.ask("GET", `/v1/deliveries?webhook=${webhook}&status=canceled`);
  expect(canceled.json.data[0].reason).toBe("Canceled by key write key.");
  const entries = await db.run({
    name: "",
    text: "select actor, details from audit_log where action = 'deliveries.canceled'",
  });
  expect(entries).toEqual([{ actor: "key write key", details: { webhook, total: 3 } }]);
});

test("neither a read-only key nor another space's key can cancel a space's deliveries", async () => {
  const webhook = await heldWebhook();
  await happenThrice("c");
  const reader = { authorization: `Bearer ${api.keys.read}` };
  expect((await api.ask("POST", "/v1/cancellations", { webhook }, reader)).json.code).toBe("SCOPE_INSUFFICIENT");
  const other = { authorization: `Bearer ${await api.key("write", await api.newSpace())}` };
  const refused = await api.ask("POST", "/v1/cancellations", { webhook }, other);
  expect([refused.status, refused.json.errors[0].path]).toEqual([422, "/webhook"]);
  expect((await api.ask("POST", "/v1/cancellations", { status: "pending" }, other)).json.total).toBe(0);
  expect((await api.ask("POST", "/v1/cancellations", {})).status).toBe(422);
});
