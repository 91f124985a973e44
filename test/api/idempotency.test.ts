import { expect, test } from "vitest";
import { testApi } from "../support/api.ts";
import { testDatabase } from "../support/database.ts";

const db = await testDatabase();
const api = await testApi(db);
const once = (key: string) => ({ "idempotency-key": key });
const count = async (name: string, text: string) => (await db.run<{ n: number }>({ name, text }))[0]!.n;
const videos = () => count("count_videos", "select count(*) as n from videos");

test("the same call again gives the same bytes and is not done twice", async () => {
  const first = await api.ask("POST", "/v1/videos", { name: "Once" }, once("same"));
  const before = await videos();
  const again = await api.ask("POST", "/v1/videos", { name: "Once" }, once("same"));
  expect([first.status, again.status]).toEqual([201, 201]);
  expect(again.text).toBe(first.text);
  expect(again.headers.get("idempotent-replayed")).toBe("true");
  expect(await videos()).toBe(before);
});

test("another body under the same key is refused, whatever came of the first", async () => {
  await api.ask("POST", "/v1/videos", { name: "A" }, once("other"));
  const { status, json } = await api.ask("POST", "/v1/videos", { name: "B" }, once("other"));
  expect([status, json.code]).toEqual([422, "IDEMPOTENCY_MISMATCH"]);
  const elsewhere = await api.ask("POST", "/v1/api-keys", { name: "A" }, once("other"));
  expect(elsewhere.json.code).toBe("IDEMPOTENCY_MISMATCH");
});

test("of thirty at once one is done, and all get its response", async () => {
  const before = await videos();
  const answers = await Promise.all(
    Array.from({ length: 30 }, () => api.ask("POST", "/v1/videos", { name: "Thirty" }, once("thirty"))),
  );
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  expect(answers.every(({ status }) => status === 201)).toBe(true);
  expect(await videos()).toBe(before + 1);
  expect(await count("count_thirty", "select count(*) as n from events where payload like '%Thirty%'")).toBe(1);
});

test("a refused call is not remembered: mended, it is done under the same key", async () => {
  const refused = await api.ask("POST", "/v1/videos", { nam: "typo" }, once("mended"));
  const mended = await api.ask("POST", "/v1/videos", { name: "fine" }, once("mended"));
  expect([refused.status, mended.status]).toEqual([422, 201]);
});

test("a space's key is its own: another space's same word is another call", async () => {
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
  "%s: what is shown once comes again to its caller, and lies nowhere in the database",
  async (path, body, field) => {
    const first = await api.ask("POST", path, body, once(`secret ${field}`.replace(" ", "-")));
    const again = await api.ask("POST", path, body, once(`secret ${field}`.replace(" ", "-")));
    expect(again.text).toBe(first.text);
    const kept = await db.run<{ body: Buffer }>({ name: "all_bodies", text: "select body from idempotency_keys" });
    expect(kept.some(({ body }) => body.includes(first.json[field]))).toBe(false);
  },
);

test("a response older than a day gives way to a new call", async () => {
  const first = await api.ask("POST", "/v1/videos", { name: "Old" }, once("old"));
  await db.run({
    name: "age_answers",
    text: "update idempotency_keys set created_at = now() - interval '25 hours' where key = 'old'",
  });
  const later = await api.ask("POST", "/v1/videos", { name: "New" }, once("old"));
  expect(later.status).toBe(201);
  expect(later.json.id).not.toBe(first.json.id);
});

test.each(["a b", "x".repeat(256)])("the key %j is refused", async (key) => {
  const { status, json } = await api.ask("POST", "/v1/videos", {}, once(key));
  expect([status, json.code]).toEqual([400, "REQUEST_MALFORMED"]);
});
