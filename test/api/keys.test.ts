import { expect, test } from "vitest";
import { testApi } from "../support/api.ts";
import { testDatabase } from "../support/database.ts";

const db = await testDatabase();
const api = await testApi(db);
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

test("a new key is shown once, works immediately, and is stored only as a hash", async () => {
  const { json } = await api.ask("POST", "/v1/api-keys", { name: "ci", scope: "read" });
  expect(json.key).toMatch(/^mave_[\w-]{43}$/);
  expect(json).toMatchObject({
    object: "api_key",
    name: "ci",
    scope: "read",
    hint: json.key.slice(-4),
    last_used: null,
  });
  expect((await api.ask("GET", "/v1/videos", undefined, bearer(json.key))).status).toBe(200);
  const listed = await api.ask("GET", "/v1/api-keys");
  expect(listed.text).not.toContain(json.key);
  const rows = await db.run<{ all: string }>({ name: "keys", text: "select api_keys::text as all from api_keys" });
  expect(rows.some(({ all }) => all.includes(json.key.slice(5, 30)))).toBe(false);
});

test("a deleted key stops working immediately, even if it is cached", async () => {
  const { json } = await api.ask("POST", "/v1/api-keys", { name: "gone" });
  expect((await api.ask("GET", "/v1/videos", undefined, bearer(json.key))).status).toBe(200);
  expect((await api.ask("DELETE", `/v1/api-keys/${json.id}`)).json).toEqual({
    id: json.id,
    object: "api_key",
    deleted: true,
  });
  const after = await api.ask("GET", "/v1/videos", undefined, bearer(json.key));
  expect([after.status, after.json.code]).toEqual([401, "KEY_INVALID"]);
  expect((await api.ask("DELETE", `/v1/api-keys/${json.id}`)).status).toBe(404);
});

test("a key shows when it was last used", async () => {
  const { json } = await api.ask("POST", "/v1/api-keys", { name: "used" });
  for (let n = 0; n < 20; n++) await api.apiKeys.identify(json.key);
  await api.apiKeys.flush();
  const { data } = (await api.ask("GET", "/v1/api-keys")).json;
  expect(data.find(({ id }: { id: string }) => id === json.id).last_used).toBeGreaterThanOrEqual(json.created);
});

test("a read-only key cannot read a webhook's secret", async () => {
  const created = await api.ask("POST", "/v1/webhooks", { url: "https://example.com/r", events: ["video.created"] });
  const { status, json } = await api.ask(
    "GET",
    `/v1/webhooks/${created.json.id}/secret`,
    undefined,
    bearer(api.keys.read),
  );
  expect([status, json.code]).toEqual([403, "SCOPE_INSUFFICIENT"]);
  const seen = await api.ask("GET", `/v1/webhooks/${created.json.id}`, undefined, bearer(api.keys.read));
  expect(seen.text).not.toContain(created.json.secret.slice(0, -4));
});

test("the audit log records who revealed and rotated a secret, and from where", async () => {
  const { json } = await api.ask("POST", "/v1/webhooks", { url: "https://example.com/a", events: ["video.created"] });
  await api.ask("GET", `/v1/webhooks/${json.id}/secret`);
  await api.ask("POST", `/v1/webhooks/${json.id}/secret/rotations`, { overlap_seconds: 60 });
  await api.ask("PATCH", `/v1/webhooks/${json.id}`, { status: "paused" });
  await api.ask("DELETE", `/v1/webhooks/${json.id}`);
  const log = (await api.ask("GET", "/v1/audit-log?limit=5")).json.data;
  expect(log.map(({ action }: { action: string }) => action)).toEqual([
    "webhook.deleted",
    "webhook.updated",
    "webhook.secret_rotated",
    "webhook.secret_revealed",
    "webhook.created",
  ]);
  for (const entry of log)
    expect(entry).toMatchObject({ actor: "key write key", address: "127.0.0.1", subject: json.id });
});

test("a rejected change is not recorded in the audit log", async () => {
  const before = (await api.ask("GET", "/v1/audit-log?limit=1")).json.data[0].id;
  await api.ask("DELETE", "/v1/webhooks/2222222222222222222223");
  await api.ask("PATCH", "/v1/webhooks/2222222222222222222223", { status: "paused" });
  expect((await api.ask("GET", "/v1/audit-log?limit=1")).json.data[0].id).toBe(before);
});

test("paging through a list in either direction returns each item once, even while items are added", async () => {
  const space = await api.newSpace();
  const own = bearer(await api.key("write", space));
  for (let n = 0; n < 6; n++) await api.ask("POST", "/v1/api-keys", { name: `nr ${n}` }, own);
  const page = async (query: string) => (await api.ask("GET", `/v1/api-keys?limit=3${query}`, undefined, own)).json;
  const ids = ({ data }: { data: { id: string }[] }) => data.map(({ id }) => id);
  const first = await page("");
  expect([first.object, first.has_more, first.data.length]).toEqual(["list", true, 3]);
  await api.ask("POST", "/v1/api-keys", { name: "in between" }, own);
  const second = await page(`&after=${first.next}`);
  const third = await page(`&after=${second.next}`);
  expect([third.has_more, third.next]).toEqual([false, null]);
  const all = [...ids(first), ...ids(second), ...ids(third)];
  expect(new Set(all).size).toBe(7); // six keys, plus the key that sends these requests
  expect(ids(await page(`&before=${second.data[0].id}`))).toEqual(ids(first));
});

test.each([
  ["limit=0", "/limit"],
  ["limit=101", "/limit"],
  ["limit=many", "/limit"],
  ["after=nothing", "/after"],
  ["before=nothing", "/before"],
  ["page=2", "/page"],
])("a list request with ?%s is rejected, and the error names the invalid field", async (query, path) => {
  const { status, json } = await api.ask("GET", `/v1/api-keys?${query}`);
  expect([status, json.code, json.errors[0].path]).toEqual([422, "REQUEST_INVALID", path]);
});

test("the number of API keys per space is limited", async () => {
  const own = bearer(await api.key("write", await api.newSpace()));
  for (let n = 1; n < 100; n++) expect((await api.ask("POST", "/v1/api-keys", { name: `${n}` }, own)).status).toBe(201);
  expect((await api.ask("POST", "/v1/api-keys", { name: "101" }, own)).json.code).toBe("LIMIT_REACHED");
});

test("an error lists all invalid fields", async () => {
  const body = {
    url: 5,
    events: ["video.created", "nonsense"],
    rate_limit: 0,
    colour: "red",
    description: "x".repeat(201),
  };
  const { status, json } = await api.ask("POST", "/v1/webhooks", body);
  expect([status, json.type, json.title]).toEqual([422, "/docs/errors#REQUEST_INVALID", "Invalid fields"]);
  expect(json.errors.map(({ path }: { path: string }) => path).sort()).toEqual([
    "/colour",
    "/description",
    "/events/1",
    "/rate_limit",
    "/url",
  ]);
});

// This must be the last test, because it exhausts the rate limit for this address.
test("guessing keys is rate limited, while valid keys from the same address keep working", async () => {
  const guesses = await Promise.all(
    Array.from({ length: 70 }, (_, n) =>
      api.ask("GET", "/v1/videos", undefined, bearer(`mave_${String(n).padEnd(43, "x")}`)),
    ),
  );
  const refused = guesses.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(5);
  expect(refused[0]!.json.code).toBe("RATE_LIMITED");
  expect(Number(refused[0]!.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await api.ask("GET", "/v1/videos")).status).toBe(200);
});
