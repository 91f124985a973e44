import type { IncomingMessage } from "node:http";
import { request } from "node:http";
import { afterEach, expect, test } from "vitest";
import type { Database } from "../../server/src/store/db.ts";
import { testApi } from "../support/api.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";

const db = await testDatabase();
const statements: string[] = []; // names of the executed statements
const run: Database["run"] = (statement, values) => {
  statements.push(statement.name);
  return db.run(statement, values);
};
const api = await testApi({ ...db, run });
const open = new Set<() => void>();
afterEach(() => {
  for (const close of open) close();
  open.clear();
});

interface Message {
  event?: string;
  id?: string;
  data: string;
}

/** Opens a client that stores all server-sent events it receives. */
async function stream(path: string, headers: Record<string, string> = {}) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const client = request(`${api.url}${path}`, {
      headers: { authorization: `Bearer ${api.keys.read}`, ...headers },
    });
    client.on("response", resolve).on("error", reject).end();
    open.add(() => client.destroy());
  });
  const messages: Message[] = [];
  let ended = false;
  let rest = "";
  response.setEncoding("utf8");
  response.on("close", () => {
    ended = true;
  });
  response.on("error", () => undefined);
  const read = (chunk: string) => {
    rest += chunk;
    for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
      const fields = rest
        .slice(0, end)
        .split("\n")
        .map((line) => line.split(/: (.*)/s));
      rest = rest.slice(end + 2);
      const message = Object.fromEntries(fields.map(([name, value]) => [name, value]));
      if (message.data !== undefined) messages.push(message as unknown as Message);
    }
  };
  response.on("data", read);
  return {
    messages,
    response,
    ids: () => messages.map(({ id }) => id),
    ended: () => ended,
    count: (n: number) => eventually(() => expect(messages.length).toBeGreaterThanOrEqual(n)),
  };
}

const create = async (name: string) => (await api.ask("POST", "/v1/videos", { name })).json.id as string;
const polled = async (after: string) =>
  (await api.ask("GET", `/v1/events?limit=100&after=${after}`)).json.data.map(({ id }: { id: string }) => id);

/** Waits until a new video's event is readable, that is, until every older transaction has ended. */
const readable = (video: string) =>
  eventually(async () => {
    const { data } = (await api.ask("GET", `/v1/events?video=${video}`)).json;
    expect(data).toHaveLength(1);
    return data[0].id as string;
  });

test("a stream sends each event as the same bytes that the API returns", async () => {
  const viewer = await stream("/v1/events/stream");
  expect(viewer.response.headers["content-type"]).toMatch(/^text\/event-stream/);
  const video = await create("Seen");
  await viewer.count(1);
  const { event, id, data } = viewer.messages[0]!;
  expect(event).toBe("video.created");
  expect(JSON.parse(data)).toMatchObject({ id, type: "video.created", sequence: 1, data: { id: video, name: "Seen" } });
  expect((await api.ask("GET", `/v1/events/${id}`)).text).toBe(data);
});

test("a stream resumes after the last event seen, in order and without gaps or repetitions", async () => {
  const first = await stream("/v1/events/stream");
  await create("start");
  await first.count(1);
  const seen = first.messages[0]!.id!;
  first.response.destroy();
  for (let n = 0; n < 130; n++) await create(`while away ${n}`);
  const resumed = await stream("/v1/events/stream", { "last-event-id": seen });
  const more = Array.from({ length: 20 }, (_, n) => create(`while it catches up ${n}`));
  await Promise.all(more);
  await resumed.count(150);
  const all = [...(await polled(seen))];
  all.push(...(await polled(all.at(-1))));
  expect(resumed.ids()).toEqual(all);
});

test("every viewer receives each event once and in commit order, no matter when it connects", async () => {
  const start = (await api.ask("GET", "/v1/events?order=desc&limit=1")).json.data[0].id;
  const viewers: Promise<Awaited<ReturnType<typeof stream>>>[] = [];
  for (let n = 0; n < 20; n++) {
    viewers.push(stream(`/v1/events/stream?after=${start}`));
    await Promise.all([create(`a ${n}`), create(`b ${n}`), create(`c ${n}`)]);
  }
  const opened = await Promise.all(viewers);
  for (const viewer of opened) await viewer.count(60);
  const expected = await polled(start);
  for (const viewer of opened) expect(viewer.ids()).toEqual(expected);
});

test("a new event is read from the database once for all viewers", async () => {
  const viewers = await Promise.all(Array.from({ length: 60 }, () => stream("/v1/events/stream")));
  await create("Everybody is there");
  await Promise.all(viewers.map((viewer) => viewer.count(1)));
  statements.length = 0;
  await create("Seen by all");
  await Promise.all(viewers.map((viewer) => viewer.count(2)));
  const reads = statements.filter((name) => name.startsWith("events_list_"));
  expect(reads.length).toBeGreaterThan(0);
  expect(reads.length).toBeLessThan(viewers.length / 2); // not exactly 1, because the server also polls once per second
});

test("a stream can filter by type and by video", async () => {
  const video = await create("chosen");
  const last = await readable(video);
  const byVideo = await stream(`/v1/events/stream?video=${video}&after=${last}`);
  const byType = await stream(`/v1/events/stream?type=video.deleted&after=${last}`);
  await create("another");
  await api.ask("DELETE", `/v1/videos/${video}`);
  await Promise.all([byVideo.count(1), byType.count(1)]);
  for (const { messages } of [byVideo, byType]) expect(messages.map(({ event }) => event)).toEqual(["video.deleted"]);
});

test("a stream contains no events from other spaces", async () => {
  const authorization = `Bearer ${await api.key("read", await api.newSpace())}`;
  const theirs = await stream("/v1/events/stream", { authorization });
  const changes = await stream("/v1/changes", { authorization });
  const ours = await stream("/v1/events/stream");
  await create("not theirs");
  await ours.count(1);
  expect([...theirs.messages, ...changes.messages]).toEqual([]);
});

test("live pages receive the IDs of changed objects without duplicates", async () => {
  const viewer = await stream("/v1/changes");
  const video = await create("live");
  await viewer.count(2);
  const topics = viewer.messages.map(({ event }) => event);
  expect(new Set(topics)).toEqual(new Set(["video", "event"]));
  const changes = viewer.messages.map(({ data }) => JSON.parse(data));
  for (const change of changes) expect(change.video).toBe(video);
  expect(changes.some(({ space }) => space !== undefined)).toBe(false);
});

test("live pages are told to refetch everything if changes from other nodes may have been missed", async () => {
  const viewer = await stream("/v1/changes");
  await eventually(() => {
    api.miss();
    expect(viewer.messages.length).toBeGreaterThanOrEqual(4);
  });
  const changes = viewer.messages.map(({ event, data }) => `${event} ${data}`);
  expect(new Set(changes)).toEqual(new Set(["delivery {}", "video {}", "webhook {}", "event {}"]));
});

test("an invalid cursor is rejected before the stream starts", async () => {
  const { status, json } = await api.ask("GET", "/v1/events/stream?after=nonsense");
  expect([status, json.code]).toEqual([422, "REQUEST_INVALID"]);
});

test("a stream over the space's limit is rejected with Retry-After", async () => {
  const authorization = `Bearer ${await api.key("read", await api.newSpace())}`;
  const opened = await Promise.all(Array.from({ length: 200 }, () => stream("/v1/changes", { authorization })));
  const { status, json, headers } = await api.ask("GET", "/v1/changes", undefined, { authorization });
  expect([status, json.code]).toEqual([429, "RATE_LIMITED"]);
  expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
  opened[0]!.response.destroy();
  const again = await eventually(async () => {
    const viewer = await stream("/v1/changes", { authorization });
    expect(viewer.response.statusCode).toBe(200);
    return viewer;
  });
  expect(again.ended()).toBe(false);
});
