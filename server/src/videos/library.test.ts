import { describe, expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { eventTypes, openVideoRoom } from "../../../test/support/videos.ts";
import type { Video } from "./video.ts";

const db = await testDatabase();
const room = await openVideoRoom(db);
const { library } = room;
let spaces = 0;

/** Creates a new space, so that a test's lists contain only its own videos. */
async function newSpace(): Promise<string> {
  const id = `00000000-0000-7000-8000-${String(++spaces).padStart(12, "0")}`;
  await db.run({ name: "test_new_space", text: "insert into spaces (id, name) values ($1, 'Another')" }, [id]);
  return id;
}

const names = ({ data }: { data: Video[] }) => data.map(({ name }) => name);

describe("a video", () => {
  test("is created in the same transaction as its event", async () => {
    const space = await newSpace();
    const video = await library.create(space, { name: "Cats", metadata: { season: "1" } });
    expect(video).toEqual({
      ...{ id: expect.stringMatching(/^[0-9A-Za-z]{10}$/), object: "video", created: expect.any(Number) },
      ...{ embed_url: `http://videos.test/${video.id}`, last_upload: null, name: "Cats", status: "waiting" },
      ...{ progress: null, error: null, duration: null, width: null, height: null, size: null },
      ...{ poster_url: null, playback_url: null, renditions: [], metadata: { season: "1" } },
    });
    expect(Object.keys(video).slice(0, 5)).toEqual(["id", "object", "created", "embed_url", "last_upload"]);
    const [event] = await db.run<{ payload: string }>(
      { name: "test_payload", text: "select payload from events where video_id = $1" },
      [video.id],
    );
    expect(JSON.parse(event!.payload)).toMatchObject({ type: "video.created", data: video });
  });

  test("is not created, and its event is not recorded, if the transaction fails", async () => {
    const space = await newSpace();
    let id = "";
    const fails = db.transaction(async (tx) => {
      ({ id } = await library.createIn(tx, space, {}));
      throw new Error("the response could not be remembered");
    });
    await expect(fails).rejects.toThrow("remembered");
    expect((await library.list(space, { limit: 10 })).data).toEqual([]);
    expect(await eventTypes(db, id)).toEqual([]);
  });

  test("keeps the fields that an update omits", async () => {
    const space = await newSpace();
    const { id } = await library.create(space, { name: "Cats", metadata: { a: "1" } });
    expect(await library.update(db, space, id, { name: "Dogs" })).toMatchObject({ name: "Dogs", metadata: { a: "1" } });
    expect(await library.update(db, space, id, { metadata: { b: "2" } })).toMatchObject({
      name: "Dogs",
      metadata: { b: "2" },
    });
    expect(await library.update(db, space, id, { name: null })).toMatchObject({ name: null });
    expect(await eventTypes(db, id)).toEqual(["video.created"]);
  });

  test("is not found after it is deleted, and its last event is video.deleted", async () => {
    const space = await newSpace();
    const { id } = await library.create(space, { name: "Cats" });
    expect(await library.remove(db, space, id)).toMatchObject({ id, name: "Cats" });
    for (const call of [
      () => library.get(space, id),
      () => library.remove(db, space, id),
      () => library.update(db, space, id, { name: "x" }),
      () => library.createUploadToken(db, space, id),
    ])
      await expect(call()).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(await eventTypes(db, id)).toEqual(["video.created", "video.deleted"]);
  });

  test("is deleted only once if several requests delete it at the same time", async () => {
    const space = await newSpace();
    const { id } = await library.create(space, {});
    const removals = await Promise.allSettled(Array.from({ length: 8 }, () => library.remove(db, space, id)));
    expect(removals.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await eventTypes(db, id)).toEqual(["video.created", "video.deleted"]);
  });

  test("in another space results in the same error as an unknown video", async () => {
    const { id } = await library.create(await newSpace(), {});
    const other = await newSpace();
    const sentence = async (asked: string) => library.get(other, asked).catch((error: Error) => error.message);
    expect(await sentence(id)).toBe(await sentence("AAAAAAAAAA"));
  });
});

describe("the list", () => {
  test("is sorted newest first, can be paged in both directions, and accepts deleted videos as cursors", async () => {
    const space = await newSpace();
    const ids: string[] = [];
    for (let n = 1; n <= 7; n++) ids.push((await library.create(space, { name: `${n}` })).id);
    const first = await library.list(space, { limit: 3 });
    expect([names(first), first.has_more]).toEqual([["7", "6", "5"], true]);
    await library.remove(db, space, first.next!);
    const second = await library.list(space, { limit: 3, after: first.next! });
    expect(names(second)).toEqual(["4", "3", "2"]);
    const third = await library.list(space, { limit: 3, after: second.next! });
    expect([names(third), third.has_more, third.next]).toEqual([["1"], false, null]);
    const back = await library.list(space, { limit: 2, before: second.data[0]!.id });
    expect(names(back)).toEqual(["7", "6"]);
    expect(names(await library.list(space, { limit: 3, before: ids[6]! }))).toEqual([]);
  });

  test("can be filtered by part of the name (case-insensitive), by complete id, and by status", async () => {
    const space = await newSpace();
    const { id } = await library.create(space, { name: "100 % Cats_and\\dogs" });
    await library.create(space, { name: "Birds" });
    const found = async (q: string) => names(await library.list(space, { limit: 10, q }));
    for (const q of ["cats", "100 %", "S_A", "d\\D", id, "  cats "])
      expect(await found(q)).toEqual(["100 % Cats_and\\dogs"]);
    for (const q of ["cat%dogs", "C_ts", id.slice(0, 9)]) expect(await found(q)).toEqual([]);
    expect((await library.list(space, { limit: 10, status: "waiting" })).data).toHaveLength(2);
    expect((await library.list(space, { limit: 10, status: "ready" })).data).toEqual([]);
  });

  test("rejects an invalid cursor", async () => {
    await expect(library.list(await newSpace(), { limit: 1, after: "no id" })).rejects.toMatchObject({
      code: "REQUEST_INVALID",
    });
  });
});

test("totals count videos by status", async () => {
  const space = await newSpace();
  await library.create(space, {});
  await library.create(space, {});
  expect(await library.totals(space)).toMatchObject({ total: 2, bytes: 0, by_status: { waiting: 2, ready: 0 } });
});
