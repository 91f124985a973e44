import { once } from "node:events";
import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test as always, expect } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { without } from "../../../test/support/machine.ts";
import { playable, unplayable, videoFolder } from "../../../test/support/video-files.ts";
import { eventTypes, openVideoRoom, settled } from "../../../test/support/videos.ts";
import { systemClock } from "../kernel/clock.ts";
import { systemRandom } from "../kernel/random.ts";
import { uuidV7 } from "../kernel/uuid.ts";
import { listToProcess } from "../store/uploads.ts";
import type { Blobs } from "./blobs.ts";
import { type Ffmpeg, findFfmpeg } from "./ffmpeg.ts";
import { startHeartbeat } from "./lease.ts";
import { receiveFile } from "./receive-file.ts";

const test = always.skipIf(without("ffmpeg"));

const db = await testDatabase();
const inputs = await videoFolder();
const room = await openVideoRoom(db);

async function upload(video: string, path: string): Promise<void> {
  const { size } = await stat(path);
  await receiveFile(room.uploads, room.space, video, {
    stream: createReadStream(path),
    size_bytes: size,
    name: "a.mp4",
  });
}

/** Returns an ffmpeg that calls `first` before each run. */
async function ffmpegThat(first: (args: string[]) => Promise<void>): Promise<Ffmpeg> {
  const real = (await findFfmpeg(systemClock))!;
  return {
    ...real,
    async run(args, options) {
      await first(args);
      return real.run(args, options);
    },
  };
}

test("an uploaded file becomes a playable video, with one event per step", async () => {
  const { id } = await room.library.create(room.space, { name: "First" });
  await room.process();
  const path = await playable(inputs, "plain-720p.mp4");
  await upload(id, path);
  const video = await settled(room, id, "ready");
  expect(video).toMatchObject({ duration: 2, width: 1280, height: 720, size: (await stat(path)).size, error: null });
  expect(video.last_upload).toBeGreaterThan(1.7e9);
  expect(video.playback_url).toBe(`http://videos.test/media/${id}/1/master.m3u8`);
  expect(video.poster_url).toBe(`http://videos.test/media/${id}/1/poster.jpg`);
  expect(video.renditions.map(({ name }) => name)).toEqual(["720p", "360p"]);
  expect(await eventTypes(db, id)).toEqual(["video.created", "video.processing", "video.uploaded"]);
});

test("only media files remain on disk after processing", async () => {
  const { incoming, originals, work } = room.folders;
  for (const folder of [incoming, originals, work]) expect(await readdir(folder)).toEqual([]);
});

test("an invalid file fails on the first attempt, with a message in video.failed", async () => {
  const { id } = await room.library.create(room.space, {});
  await room.process();
  await upload(id, await unplayable(inputs, "random.mp4"));
  const video = await settled(room, id, "failed");
  expect(video.error).toEqual({ code: "unreadable", message: expect.stringMatching(/cannot be read as a video/) });
  expect(await eventTypes(db, id)).toEqual(["video.created", "video.processing", "video.failed"]);
});

test("a new upload becomes a new version, and the old version stays playable until the switch", async () => {
  const { id } = await room.library.create(room.space, {});
  const processor = await room.process();
  await upload(id, await playable(inputs, "plain.mp4"));
  await settled(room, id, "ready");
  await processor.stop();
  await upload(id, await playable(inputs, "portrait.mp4"));
  const between = await room.library.get(room.space, id);
  expect(between).toMatchObject({ status: "ready", progress: 0, width: 320 });
  expect(between.playback_url).toContain("/1/master.m3u8");
  await room.process();
  await expect.poll(async () => (await room.library.get(room.space, id)).playback_url).toContain("/2/master.m3u8");
  expect(await room.library.get(room.space, id)).toMatchObject({ status: "ready", progress: null, width: 180 });
  expect(await eventTypes(db, id)).toEqual([
    ...["video.created", "video.processing", "video.uploaded"],
    ...["video.processing", "video.uploaded"],
  ]);
});

test("an invalid new upload leaves the old version playable and sets an error", async () => {
  const { id } = await room.library.create(room.space, {});
  await room.process();
  await upload(id, await playable(inputs, "plain.mp4"));
  await settled(room, id, "ready");
  await upload(id, await unplayable(inputs, "sound.mp3"));
  await expect.poll(async () => (await room.library.get(room.space, id)).error?.code).toBe("no_video");
  expect(await room.library.get(room.space, id)).toMatchObject({ status: "ready", progress: null, width: 320 });
});

test("an attempt whose ffmpeg is killed is retried, and only one video.uploaded event is recorded", async () => {
  const { id } = await room.library.create(room.space, {});
  let kills = 1;
  const real = (await findFfmpeg(systemClock))!;
  const ffmpeg: Ffmpeg = {
    ...real,
    run: async (args, options) =>
      args.includes("hls") && kills-- > 0
        ? { ending: { how: "killed", signal: "SIGKILL" }, errors: "" }
        : real.run(args, options),
  };
  await room.process(ffmpeg);
  await upload(id, await playable(inputs, "plain.mp4"));
  await expect.poll(() => attempts(id)).toBe(1);
  await expect.poll(() => isReleased(id)).toBe(true);
  await makeDue(id);
  room.signals.emit("upload", { space: room.space, video: id, version: 1 });
  const video = await settled(room, id, "ready");
  expect(video.playback_url).toContain("/1-2/master.m3u8");
  expect(await eventTypes(db, id)).toEqual(["video.created", "video.processing", "video.uploaded"]);
});

test("processing gives up after three attempts fail because of the machine", async () => {
  const { id } = await room.library.create(room.space, {});
  const ffmpeg = await ffmpegThat(async () => {
    throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  });
  await room.process(ffmpeg);
  await upload(id, await playable(inputs, "plain.mp4"));
  for (const attempt of [1, 2]) {
    await expect.poll(() => attempts(id)).toBe(attempt);
    await expect.poll(() => isReleased(id)).toBe(true);
    await makeDue(id);
    room.signals.emit("upload", { space: room.space, video: id, version: 1 });
  }
  const video = await settled(room, id, "failed");
  expect(video.error?.code).toBe("processing_failed");
  expect(await attempts(id)).toBe(3);
});

test("deleting a video stops its ffmpeg and leaves no files behind", async () => {
  const { id } = await room.library.create(room.space, {});
  let ended = "";
  const real = (await findFfmpeg(systemClock))!;
  let started = () => {};
  const running = new Promise<void>((resolve) => {
    started = resolve;
  });
  const ffmpeg: Ffmpeg = {
    ...real,
    async run(args, options) {
      // Runs until it is stopped.
      const endless = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=64x64:r=10",
        "-f",
        "null",
        "-",
        "-progress",
        "pipe:1",
        "-nostats",
      ];
      const run = real.run(args.includes("hls") ? ["-re", ...endless] : args, options);
      started();
      const result = await run;
      ended = result.ending.how;
      return result;
    },
  };
  await room.process(ffmpeg);
  await upload(id, await playable(inputs, "plain.mp4"));
  await running;
  await room.library.remove(room.db, room.space, id);
  await expect.poll(() => ended).toBe("canceled");
  await expect.poll(() => readdir(room.folders.work)).toEqual([]);
  await room.janitor.round();
  expect(await readdir(room.folders.originals)).toEqual([]);
  expect(await readdir(room.folders.media)).not.toContain(id);
  expect(await eventTypes(db, id)).toEqual(["video.created", "video.processing", "video.deleted"]);
});

test("a processor that loses its lease publishes nothing and leaves no files behind", async () => {
  const { id } = await room.library.create(room.space, {});
  const other = await anotherProcessor();
  const ffmpeg = await ffmpegThat(async (args) => {
    if (args.includes("hls")) await other.takes(id);
  });
  const processor = await room.process(ffmpeg);
  await upload(id, await playable(inputs, "plain.mp4"));
  await expect.poll(() => readdir(room.folders.work)).not.toEqual([]);
  await expect.poll(() => readdir(room.folders.work)).toEqual([]);
  await processor.stop();
  expect(await eventTypes(db, id)).toEqual(["video.created", "video.processing"]);
  expect(await mediaOf(id)).toEqual([]);
  await other.dies();
  await room.process();
  await settled(room, id, "ready");
  expect(await eventTypes(db, id)).toEqual(["video.created", "video.processing", "video.uploaded"]);
});

test("a processor that loses its lease while storing files deletes the stored files", async () => {
  const { id } = await room.library.create(room.space, {});
  const other = await anotherProcessor();
  const real = (await findFfmpeg(systemClock))!;
  let lease: AbortSignal | undefined;
  const ffmpeg: Ffmpeg = {
    ...real,
    run(args, options) {
      lease = options.signal;
      return real.run(args, options);
    },
  };
  let put = 0;
  const blobs: Blobs = {
    ...room.blobs,
    async put(...file) {
      await room.blobs.put(...file);
      put += 1;
      if (put > 1) return;
      await other.takes(id);
      room.signals.emit("video", { space: room.space, video: id }); // makes the processor check its lease
      await once(lease!, "abort");
    },
  };
  const processor = await room.process(ffmpeg, blobs);
  await upload(id, await playable(inputs, "plain.mp4"));
  await expect.poll(() => put).toBe(1);
  await expect.poll(() => readdir(room.folders.work)).toEqual([]);
  await processor.stop();
  expect(put).toBe(1);
  expect(await mediaOf(id)).toEqual([]);
  await other.dies();
  await room.process();
  await settled(room, id, "ready");
});

test("an upload is not claimed while its processor is alive, but is claimed once the processor dies", async () => {
  const { id } = await room.library.create(room.space, {});
  await upload(id, await playable(inputs, "plain.mp4"));
  const other = await anotherProcessor();
  await other.takes(id);
  expect(await listToProcess(db, 10)).toEqual([]);
  await other.dies();
  expect(await listToProcess(db, 10)).toMatchObject([{ video_id: id }]);
  await room.process();
  await settled(room, id, "ready");
});

test("stopping the processor releases its upload without counting the attempt, and the next start processes the upload", async () => {
  const { id } = await room.library.create(room.space, {});
  let started = () => {};
  const running = new Promise<void>((resolve) => {
    started = resolve;
  });
  const processor = await room.process(
    await ffmpegThat(async () => {
      started();
    }),
  );
  await upload(id, await playable(inputs, "plain-720p.mp4"));
  await running;
  await processor.stop();
  expect(await attempts(id)).toBe(0);
  await room.process();
  await settled(room, id, "ready");
  expect(await eventTypes(db, id)).toEqual(["video.created", "video.processing", "video.uploaded"]);
});

test("without ffmpeg, an H.264 file becomes playable in one rendition", async () => {
  const { id } = await room.library.create(room.space, {});
  await room.process(null);
  await upload(id, await playable(inputs, "plain.mp4"));
  const video = await settled(room, id, "ready");
  expect(video).toMatchObject({ duration: 2, width: 320, height: 180, poster_url: null });
  const master = await readFile(`${room.folders.media}/${id}/1/master.m3u8`, "utf8");
  expect(master).toMatch(/CODECS="avc1\.[0-9a-f]{6},mp4a\.40\.2"/);
});

test("files that need conversion are kept and are processed once ffmpeg is installed", async () => {
  const { id } = await room.library.create(room.space, {});
  const processor = await room.process(null);
  await upload(id, await playable(inputs, "old.avi"));
  const failed = await settled(room, id, "failed");
  expect(failed.error).toEqual({
    code: "ffmpeg_missing",
    message: expect.stringContaining("apt-get install -y ffmpeg"),
  });
  await room.janitor.round();
  await processor.stop();
  await room.process();
  await settled(room, id, "ready");
});

test("an empty stream is rejected and leaves the video waiting", async () => {
  const { id } = await room.library.create(room.space, {});
  const empty = { stream: Readable.from([]), size_bytes: null, name: null };
  await expect(receiveFile(room.uploads, room.space, id, empty)).rejects.toMatchObject({ code: "UPLOAD_EMPTY" });
  expect(await room.library.get(room.space, id)).toMatchObject({ status: "waiting" });
});

const ask = async <Value>(name: string, text: string, id: string): Promise<Value> =>
  (await db.run<{ value: Value }>({ name: `test_${name}`, text }, [id]))[0]!.value;

async function mediaOf(id: string): Promise<string[]> {
  const files = await readdir(room.folders.media, { recursive: true });
  return files.filter((file) => file.startsWith(join(id, "/")));
}

const attempts = (id: string) =>
  ask<number>("attempts", "select attempt as value from uploads where video_id = $1", id);

const isReleased = (id: string) =>
  ask<boolean>(
    "released",
    `select lease_token is null and state = 'processing' and leased_until > now() as value
      from uploads where video_id = $1`,
    id,
  );

const makeDue = (id: string) =>
  ask("make_due", "update uploads set leased_until = '-infinity' where video_id = $1 returning 1 as value", id);

/** Simulates what the database sees of a processor on another machine. */
async function anotherProcessor() {
  const token = uuidV7(Date.now(), systemRandom);
  const dies = await startHeartbeat({ db, clock: systemClock, log: room.log }, token);
  return {
    async takes(id: string) {
      const taken = `update uploads set state = 'processing', lease_token = $2, leased_until = now() + interval '1 minute'
        where video_id = $1`;
      await db.run({ name: "test_take", text: taken }, [id, token]);
    },
    dies,
  };
}
