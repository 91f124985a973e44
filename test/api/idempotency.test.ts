import { expect, test } from "vitest";
import { testApi } from "../support/api.ts";
import { testDatabase } from "../support/database.ts";

const db = await testDatabase();
const api = await testApi(db);
const once = (key: string) => ({ "idempotency-key": key });
const count = async (name: string, text: string) => (await db.run<{ n: number }>({ name, text }))[0]!.n;
const videos = () => count("count_videos", "select count(*) as n from videos");

test("a repeated request returns the same bytes and does not take effect again", async () => {
  const first = await api.ask("POST", "/v1/videos", { name: "Once" }, once("same"));
  const before = await videos();
  const again = await api.ask("POST", "/v1/videos", { name: "Once" }, once("same"));
  expect([first.status, again.status]).toEqual([201, 201]);
  expect(again.text).toBe(first.text);
  expect(again.headers.get("idempotent-replayed")).toBe("true");
  expect(await videos()).toBe(before);
});

test("a different request with the same Idempotency-Key is rejected", async () => {
  await api.ask("POST", "/v1/videos", { name: "A" }, once("other"));
  const { status, json } = await api.ask("POST", "/v1/videos", { name: "B" }, once("other"));
  expect([status, json.code]).toEqual([422, "IDEMPOTENCY_MISMATCH"]);
  const elsewhere = await api.ask("POST", "/v1/api-keys", { name: "A" }, once("other"));
  expect(elsewhere.json.code).toBe("IDEMPOTENCY_MISMATCH");
});

test("if thirty requests with the same Idempotency-Key arrive at once, one takes effect and all return its response", async () => {
  const before = await videos();
  const responses = await Promise.all(
    Array.from({ length: 30 }, () => api.ask("POST", "/v1/videos", { name: "Thirty" }, once("thirty"))),
  );
  expect(new Set(responses.map(({ text }) => text)).size).toBe(1);
  expect(responses.every(({ status }) => status === 201)).toBe(true);
  expect(await videos()).toBe(before + 1);
  expect(await count("count_thirty", "select count(*) as n from events where payload like '%Thirty%'")).toBe(1);
});

test("a rejected request does not use up its Idempotency-Key", async () => {
  const refused = await api.ask("POST", "/v1/videos", { nam: "typo" }, once("corrected"));
  const corrected = await api.ask("POST", "/v1/videos", { name: "fine" }, once("corrected"));
  expect([refused.status, corrected.status]).toEqual([422, 201]);
});

test("another API key of the same space that uses the same Idempotency-Key does not get the first one's response", async () => {
  const other = { authorization: `Bearer ${await api.key("write")}` };
  const mine = await api.ask("POST", "/v1/api-keys", { name: "secret" }, once("guessed"));
  const theirs = await api.ask("POST", "/v1/api-keys", { name: "secret" }, { ...once("guessed"), ...other });
  expect(theirs.status).toBe(201);
  expect(theirs.headers.get("idempotent-replayed")).toBeNull();
  expect(theirs.json.key).not.toBe(mine.json.key);
});

test("two spaces can use the same Idempotency-Key independently", async () => {
  const other = { authorization: `Bearer ${await api.key("write", await api.newSpace())}` };
  const mine = await api.ask("POST", "/v1/videos", { name: "Mine" }, once("shared"));
  const theirs = await api.ask("POST", "/v1/videos", { name: "Theirs" }, { ...once("shared"), ...other });
  expect(theirs.status).toBe(201);
  expect(theirs.json.id).not.toBe(mine.json.id);
});

test.each([
  ["/v1/api-keys", { name: "shown once" }, "key"],
  ["/v1/webhooks", { url: "https://example.com/x", events: ["video.created"] }, "secret"],
] as const)(
  "a repeated request to %s returns the same secret, although the secret is not stored in plain text",
  async (path, body, field) => {
    const first = await api.ask("POST", path, body, once(`secret ${field}`.replace(" ", "-")));
    const again = await api.ask("POST", path, body, once(`secret ${field}`.replace(" ", "-")));
    expect(again.text).toBe(first.text);
    const kept = await db.run<{ body: Buffer }>({ name: "all_bodies", text: "select body from idempotency_keys" });
    expect(kept.some(({ body }) => body.includes(first.json[field]))).toBe(false);
  },
);

test("an Idempotency-Key can be reused for a new request after a day", async () => {
  const first = await api.ask("POST", "/v1/videos", { name: "Old" }, once("old"));
  await db.run({
    name: "age_responses",
    text: "update idempotency_keys set created_at = now() - interval '25 hours' where key = 'old'",
  });
  const later = await api.ask("POST", "/v1/videos", { name: "New" }, once("old"));
  expect(later.status).toBe(201);
  expect(later.json.id).not.toBe(first.json.id);
});

test.each(["a b", "x".repeat(256)])("the Idempotency-Key %j is rejected", async (key) => {
  const { status, json } = await api.ask("POST", "/v1/videos", {}, once(key));
  expect([status, json.code]).toEqual([400, "REQUEST_MALFORMED"]);
});
