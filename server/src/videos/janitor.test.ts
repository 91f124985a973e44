import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { openVideoRoom } from "../../../test/support/videos.ts";
import { receiveFile } from "./receive-file.ts";

const db = await testDatabase();
const room = await openVideoRoom(db);
const { folders, uploads, janitor, library, space } = room;

const newVideo = async () => (await library.create(space, {})).id;
const set = (what: string, id: string) =>
  db.run({ name: `test_${what.length}_${what.slice(0, 30)}`, text: `update ${what} where id = $1` }, [id]);

/** Simulates a restart after a kill, with the same data folder but no in-memory state. */
const startedAgain = () => openVideoRoom(db, { dataDir: room.dataDir });

async function begunUpload(video: string, { resumable = true, bytes = "01234" } = {}): Promise<string> {
  const { id, path } = await uploads.begin(space, video, { resumable, name: null, size_bytes: 10 });
  await writeFile(path, bytes);
  return id;
}

async function receivedUpload(video: string): Promise<string> {
  const before = await readdir(folders.originals);
  await receiveFile(uploads, space, video, {
    stream: Readable.from([Buffer.from("bytes")]),
    size_bytes: 5,
    name: null,
  });
  return (await readdir(folders.originals)).find((name) => !before.includes(name))!;
}

test("startup deletes files left behind by a killed server and keeps files that are still needed", async () => {
  const part = await begunUpload(await newVideo());
  const broken = await begunUpload(await newVideo(), { resumable: false });
  const original = await receivedUpload(await newVideo());
  await mkdir(join(folders.work, `${original}-1`));
  for (const folder of [folders.incoming, folders.originals]) await writeFile(join(folder, "0".repeat(32)), "nobody's");
  const again = await startedAgain();
  await again.janitor.start();
  await again.janitor.stop();
  expect(await readdir(folders.work)).toEqual([]);
  expect(await readdir(folders.incoming)).toEqual([part]);
  expect(await readdir(folders.originals)).toEqual([original]);
  expect((await uploads.get(broken))?.state).toBe("canceled");
  expect((await uploads.get(part))?.state).toBe("receiving");
});

test("startup cancels a PUT that was interrupted before its first byte, and the video's status returns to waiting", async () => {
  const video = await newVideo();
  const { id } = await uploads.begin(space, video, { resumable: false, name: null, size_bytes: 10 });
  const again = await startedAgain();
  await again.uploads.reconcile();
  expect((await uploads.get(id))?.state).toBe("canceled");
  expect(await library.get(space, video)).toMatchObject({ status: "waiting" });
  expect(await readdir(folders.incoming)).not.toContain(id);
});

test("the janitor does not cancel an active PUT that has not received any bytes yet", async () => {
  const { id } = await uploads.begin(space, await newVideo(), { resumable: false, name: null, size_bytes: 10 });
  await uploads.reconcile();
  expect((await uploads.get(id))?.state).toBe("receiving");
});

test("a rejected PUT leaves no partial file behind", async () => {
  const before = await readdir(folders.incoming);
  const refused = uploads.begin(space, "ubg3tDi5B8", { resumable: false, name: null, size_bytes: 10 });
  await expect(refused).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(await readdir(folders.incoming)).toEqual(before);
});

test("the janitor deletes a replaced version after an hour and keeps the current one", async () => {
  const video = await newVideo();
  const versions: string[] = [];
  for (const version of [1, 2]) {
    versions.push(await receivedUpload(video));
    await mkdir(join(folders.media, video, `${version}`), { recursive: true });
    await set("uploads set state = 'published', attempt = 1, finished_at = now()", versions.at(-1)!);
  }
  await set(
    "videos set playing_version = 2, playing_folder = '2', last_upload_at = now() - interval '59 minutes'",
    video,
  );
  await janitor.round();
  expect((await readdir(join(folders.media, video))).sort()).toEqual(["1", "2"]);
  await set("videos set last_upload_at = now() - interval '61 minutes'", video);
  await janitor.round();
  expect(await readdir(join(folders.media, video))).toEqual(["2"]);
});

test("the janitor deletes a deleted video's remaining files", async () => {
  const video = await newVideo();
  const original = await receivedUpload(video);
  await library.remove(db, space, video);
  await mkdir(join(folders.media, video, "1"), { recursive: true });
  await janitor.round();
  expect(await readdir(folders.originals)).not.toContain(original);
  expect(await readdir(folders.media)).not.toContain(video);
});

test("the janitor keeps a file that needs ffmpeg until a newer file replaces it", async () => {
  const video = await newVideo();
  const older = await receivedUpload(video);
  await set("uploads set state = 'failed', error_code = 'ffmpeg_missing', finished_at = now()", older);
  await janitor.round();
  expect(await readdir(folders.originals)).toContain(older);
  await receivedUpload(video);
  await janitor.round();
  expect(await readdir(folders.originals)).not.toContain(older);
});

test("concurrent janitor rounds do not interfere with each other", async () => {
  const id = await begunUpload(await newVideo());
  await writeFile(join(folders.incoming, id), "0123456789");
  await Promise.all([janitor.round(), janitor.round(), uploads.finish(id)]);
  expect((await uploads.get(id))?.state).toBe("received");
  expect(await readdir(folders.originals)).toContain(id);
});
