import { afterAll, expect, test, vi } from "vitest";
import { testApi } from "../support/api.ts";
import { testDatabase } from "../support/database.ts";
import { response, testNode } from "../support/delivery.ts";

const db = await testDatabase();
const api = await testApi(db);
const secret = "Ada Lovelace";
const node = await testNode(db, () => ({
  ...response(200, [["x-customer", secret]]),
  response: { headers: [["x-customer", secret]], body: Buffer.from(`Thanks, ${secret}`), bytes: 20, cut: false },
}));
afterAll(() => node.stop());

const { id: webhook } = (
  await api.ask("POST", "/v1/webhooks", {
    url: "https://r.example.com/erased",
    events: ["video.created", "video.deleted"],
  })
).json;
const patient = { timeout: 30_000 };

const setWebhook = (status: "enabled" | "paused") => api.ask("PATCH", `/v1/webhooks/${webhook}`, { status });
const createVideo = async (): Promise<string> =>
  (await api.ask("POST", "/v1/videos", { name: secret, metadata: { customer: secret } })).json.id;
const erase = (video: string, headers: Record<string, string> = {}) =>
  api.ask("POST", `/v1/videos/${video}/erasures`, undefined, headers);
const deliveriesOf = async (video: string) => (await api.ask("GET", `/v1/deliveries?video=${video}`)).json.data;
const eventsOf = async (video: string) => (await api.ask("GET", `/v1/events?video=${video}`)).json.data;

/** Creates and deletes a video, and waits until all its events are delivered. */
async function deliveredVideo(): Promise<string> {
  const video = await createVideo();
  await api.ask("DELETE", `/v1/videos/${video}`);
  await vi.waitFor(async () => {
    const statuses = (await deliveriesOf(video)).map(({ status }: { status: string }) => status);
    expect(statuses).toEqual(["succeeded", "succeeded"]);
    expect(await eventsOf(video)).toHaveLength(2); // events are listed only after every older transaction has ended
  }, patient);
  return video;
}

/** Returns everything stored about a video as text: its row, events, uploads, deliveries and attempts. */
const kept = async (video: string): Promise<string> => {
  const text = `select concat(
      (select string_agg(e::text, ' ') from events e where e.video_id = $1),
      (select string_agg(concat(a, encode(a.response_body, 'escape')), ' ') from attempts a where a.delivery_id in
        (select id from deliveries d where d.video_id = $1)),
      (select string_agg(d::text, ' ') from deliveries d where d.video_id = $1),
      (select v::text from videos v where v.id = $1), (select string_agg(u::text, ' ') from uploads u where u.video_id = $1)
    ) as text`;
  return (await db.run<{ text: string }>({ name: "", text }, [video]))[0]!.text;
};

test("an erasure removes each event's data but keeps the record of its delivery", async () => {
  const video = await deliveredVideo();
  expect(await kept(video)).toContain(secret);
  const before = await deliveriesOf(video);
  const [created] = await eventsOf(video);
  const done = await erase(video);
  expect([done.status, done.json]).toEqual([
    201,
    { object: "erasure", video, events: 2, attempts: 2, has_more: false },
  ]);
  expect(await kept(video)).not.toContain(secret);
  expect(await deliveriesOf(video)).toEqual(before);

  const [event, deleted] = await eventsOf(video);
  const { id, object, type, created: happened, sequence } = created;
  const erased = expect.any(Number);
  expect(event).toEqual({ id, object, type, created: happened, data: null, sequence, video, erased });
  expect(deleted).toMatchObject({ type: "video.deleted", data: null, sequence: 2 });
  expect((await api.ask("GET", `/v1/events/${id}`)).json).toEqual(event);

  const { json: delivery } = await api.ask("GET", `/v1/deliveries/${before[0].id}`);
  expect(delivery).toMatchObject({ ...before[0], erased: event.erased });
  expect(delivery.log[0]).toMatchObject({
    number: 1,
    outcome: "succeeded",
    status: 200,
    request: { headers: {}, body: "" },
    response: null,
  });
});

test("an event that is not erased has no erasure fields", async () => {
  const video = await deliveredVideo();
  const [event] = await eventsOf(video);
  expect(Object.keys(event).sort()).toEqual(["created", "data", "id", "object", "sequence", "type"]);
  const [{ id }] = await deliveriesOf(video);
  expect((await api.ask("GET", `/v1/deliveries/${id}`)).json.erased).toBeNull();
});

test("an erasure is rejected while its video exists or has pending deliveries", async () => {
  await setWebhook("paused");
  const video = await createVideo();
  const existing = await erase(video);
  expect([existing.status, existing.json.code]).toEqual([409, "CONFLICT"]);
  expect(existing.json.detail).toBe("The video is not deleted. Delete it first.");
  await api.ask("DELETE", `/v1/videos/${video}`);
  const pending = await erase(video);
  expect([pending.status, pending.json.code]).toEqual([409, "CONFLICT"]);
  expect(pending.json.detail).toMatch(/^2 deliveries of this video are pending\..*POST \/v1\/cancellations/);
  expect(await kept(video)).toContain(secret);
  await api.ask("POST", "/v1/cancellations", { video });
  expect((await erase(video)).json).toMatchObject({ events: 2, attempts: 0 });
  expect(await kept(video)).not.toContain(secret);
  await setWebhook("enabled");
});

test("a repeated erasure erases nothing more and is recorded once per Idempotency-Key", async () => {
  const video = await deliveredVideo();
  const once = { "idempotency-key": "erase" };
  const first = await erase(video, once);
  expect((await erase(video, once)).text).toBe(first.text);
  expect((await erase(video)).json).toMatchObject({ events: 0, attempts: 0 });
  const text = "select actor, details from audit_log where action = 'video.erased' and subject = $1 order by id";
  expect(await db.run({ name: "", text }, [video])).toEqual([
    { actor: "key write key", details: { events: 2, attempts: 2 } },
    { actor: "key write key", details: { events: 0, attempts: 0 } },
  ]);
  const reader = { authorization: `Bearer ${api.keys.read}` };
  expect((await erase(video, reader)).json.code).toBe("SCOPE_INSUFFICIENT");
});

test("an erased event is neither replayed nor sent again", async () => {
  const video = await deliveredVideo();
  const replay = { webhook, since: 0, until: 2_000_000_000, video };
  const total = async () => (await api.ask("POST", "/v1/replays", { ...replay, dry_run: true })).json.total;
  expect(await total()).toBe(2);
  await erase(video);
  expect(await total()).toBe(0);
  expect((await api.ask("POST", "/v1/replays", replay)).json.total).toBe(0);
  const [{ id }] = await deliveriesOf(video);
  const again = await api.ask("POST", `/v1/deliveries/${id}/attempts`);
  expect([again.status, again.json.code]).toEqual([410, "DELIVERY_GONE"]);
  expect(await deliveriesOf(video)).toMatchObject([{ status: "succeeded" }, { status: "succeeded" }]);
});

test("a stream that resumes from before an erased event sends the event without its data", async () => {
  const before = (await api.ask("GET", "/v1/events?order=desc&limit=1")).json.data[0].id;
  const video = await deliveredVideo();
  await erase(video);
  const stopped = new AbortController();
  const headers = { authorization: `Bearer ${api.keys.read}`, "last-event-id": before };
  const response = await fetch(`${api.url}/v1/events/stream?video=${video}`, { headers, signal: stopped.signal });
  let text = "";
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.split("\ndata: ").length > 2 && text.endsWith("\n\n")) break;
  }
  stopped.abort();
  const shown = [...text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json!));
  expect(shown).toEqual(await eventsOf(video));
  expect(shown).toMatchObject([{ data: null }, { data: null }]);
});
