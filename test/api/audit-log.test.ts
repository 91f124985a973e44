import { expect, test } from "vitest";
import { createSignInLink } from "../../server/src/auth/sign-in-links.ts";
import { testApi } from "../support/api.ts";
import { testDatabase } from "../support/database.ts";
import { happen } from "../support/engine.ts";

const api = await testApi(await testDatabase());

const WHO = { object: "audit_entry", actor: "key write key", address: "127.0.0.1" };

/** Returns an object's audit log entries, oldest first. */
async function entriesOf(subject: string, headers = {}) {
  const { json } = await api.ask("GET", "/v1/audit-log?limit=100", undefined, headers);
  const entries: { subject: string; created: number }[] = json.data;
  for (const { created } of entries) expect(Math.abs(created - Date.now() / 1000)).toBeLessThan(600);
  return entries.filter((entry) => entry.subject === subject).toReversed();
}

async function pausedWebhook(): Promise<string> {
  const { json } = await api.ask("POST", "/v1/webhooks", { url: "https://r.example.com/", events: ["video.created"] });
  await api.ask("PATCH", `/v1/webhooks/${json.id}`, { status: "paused" });
  return json.id;
}

test("the audit log records the name of each created or deleted API key, but never the key itself", async () => {
  const { json } = await api.ask("POST", "/v1/api-keys", { name: "deploy", scope: "read" });
  await api.ask("DELETE", `/v1/api-keys/${json.id}`);
  const entries = await entriesOf(json.id);
  expect(entries).toMatchObject([
    { ...WHO, action: "api_key.created", details: { name: "deploy", scope: "read" } },
    { ...WHO, action: "api_key.deleted", details: { name: "deploy" } },
  ]);
  expect(JSON.stringify(entries)).not.toContain(json.key.slice(5));
});

test("the audit log records every change to a replay, but not dry runs", async () => {
  const webhook = await pausedWebhook();
  await happen(api, "AAAAAAAAA1");
  const now_s = Math.floor(Date.now() / 1000);
  const range = { webhook, since: now_s - 600, until: now_s + 600 };
  await api.ask("POST", "/v1/replays", { ...range, dry_run: true });
  const { json } = await api.ask("POST", "/v1/replays", range);
  for (const status of ["paused", "running"]) await api.ask("PATCH", `/v1/replays/${json.id}`, { status });
  await api.ask("DELETE", `/v1/replays/${json.id}`);
  expect(await entriesOf(json.id)).toMatchObject([
    { ...WHO, action: "replay.created", details: { webhook, total: json.total } },
    { ...WHO, action: "replay.paused", details: {} },
    { ...WHO, action: "replay.resumed", details: {} },
    { ...WHO, action: "replay.canceled", details: {} },
  ]);
  const { data } = (await api.ask("GET", "/v1/audit-log?limit=100")).json;
  expect(data.filter(({ action }: { action: string }) => action === "replay.created")).toHaveLength(1);
});

test("the audit log does not record rejected changes", async () => {
  const before = (await api.ask("GET", "/v1/audit-log?limit=1")).json.data[0].id;
  const unknown = "2222222222222222222223";
  expect((await api.ask("PATCH", `/v1/replays/${unknown}`, { status: "paused" })).status).toBe(404);
  expect((await api.ask("DELETE", `/v1/replays/${unknown}`)).status).toBe(404);
  expect((await api.ask("DELETE", `/v1/api-keys/${unknown}`)).status).toBe(404);
  expect((await api.ask("GET", "/v1/audit-log?limit=1")).json.data[0].id).toBe(before);
});

test("the audit log records a manual send once per Idempotency-Key", async () => {
  const { json } = await api.ask("POST", "/v1/webhooks", { url: "https://r.example.com/", events: ["video.created"] });
  await happen(api, "AAAAAAAAA2");
  const [{ id }] = (await api.ask("GET", `/v1/deliveries?webhook=${json.id}`)).json.data;
  for (let n = 0; n < 3; n++)
    await api.ask("POST", `/v1/deliveries/${id}/attempts`, undefined, { "idempotency-key": "by-hand" });
  expect(await entriesOf(id)).toMatchObject([{ ...WHO, action: "delivery.sent_again" }]);
});

test("the audit log records sign-ins, failed ones too, sign-outs, deleted videos and upload tokens, with the actor's id", async () => {
  const [owner, password] = ["ann@example.com", "correct horse battery"];
  const from = { authorization: "", origin: api.url };
  const token = new URL(await createSignInLink(api.db, api.random, api.publicUrl)).hash.slice(1);
  const joined = await api.ask("POST", "/v1/session/owner", { token, name: "Ann", email: owner, password }, from);
  expect(joined.status).toBe(201);
  await api.ask("POST", "/v1/session", { email: owner, password: "a wrong password" }, from);
  await api.ask("POST", "/v1/session", { email: "nobody@example.com", password: "a wrong password" }, from);
  const { headers } = await api.ask("POST", "/v1/session", { email: owner, password }, from);
  const cookie = headers
    .getSetCookie()
    .map((set) => set.split(";", 1)[0])
    .join("; ");
  await api.ask("DELETE", "/v1/session", undefined, { ...from, cookie });
  const { json: video } = await api.ask("POST", "/v1/videos", { name: "Secret" });
  await api.ask("POST", `/v1/videos/${video.id}/upload-tokens`);
  await api.ask("DELETE", `/v1/videos/${video.id}`);

  const { data } = (await api.ask("GET", "/v1/audit-log?limit=6")).json;
  const seen = data.map(({ action, actor, subject }: Record<string, string>) => [action, actor, subject]).reverse();
  expect(seen).toEqual([
    ["member.joined", owner, null],
    ["member.sign_in_failed", owner, null],
    ["member.signed_in", owner, null],
    ["member.signed_out", owner, null],
    ["video.upload_token_created", "key write key", video.id],
    ["video.deleted", "key write key", video.id],
  ]);
  expect(new Set(data.map(({ actor_id }: { actor_id: string }) => actor_id)).size).toBe(2);
  expect(data.every(({ address }: { address: string }) => address === "127.0.0.1")).toBe(true);
});

test("a space's audit log is not visible to other spaces", async () => {
  const { json } = await api.ask("POST", "/v1/api-keys", { name: "mine" });
  const other = { authorization: `Bearer ${await api.key("read", await api.newSpace())}` };
  expect(await entriesOf(json.id)).toHaveLength(1);
  expect(await entriesOf(json.id, other)).toEqual([]);
});
