import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test as always, describe, expect } from "vitest";
import { without } from "../../../test/support/machine.ts";
import {
  type PlayableName,
  playable,
  type UnplayableName,
  unplayable,
  videoFolder,
} from "../../../test/support/video-files.ts";
import { systemClock } from "../kernel/clock.ts";
import type { ConversionOutcome, Media } from "./conversion.ts";
import { findFfmpeg } from "./ffmpeg.ts";
import { convert } from "./media.ts";
import { MEDIA_ERRORS, type MediaError } from "./probe.ts";

const test = always.skipIf(without("ffmpeg"));

const folder = await videoFolder();
const ffmpeg = await findFfmpeg(systemClock);
let attempts = 0;

async function run(input: string, signal = new AbortController().signal): Promise<ConversionOutcome & { out: string }> {
  if (!ffmpeg) throw new Error("These tests need ffmpeg: apt-get install -y ffmpeg");
  const out = join(folder, `out-${++attempts}`);
  await mkdir(out);
  return { ...(await convert({ ffmpeg, input, folder: out, signal, onProgress: () => {} })), out };
}

async function converted(name: PlayableName): Promise<Media & { out: string }> {
  const outcome = await run(await playable(folder, name));
  if (outcome.how !== "converted") throw new Error(`${name}: ${JSON.stringify(outcome)}`);
  return { ...outcome.media, out: outcome.out };
}

const names = (media: Media) => media.renditions.map(({ name }) => name);

describe("a playable file", () => {
  test("is copied with its audio if browsers can play it unchanged", async () => {
    const media = await converted("plain.mp4");
    expect(media.notes?.plan).toMatchObject({ copyVideo: true, copyAudio: true });
    expect(media).toMatchObject({ width: 320, height: 180, duration_s: 2, poster: "poster.jpg" });
    expect(names(media)).toEqual(["180p"]);
  });

  test("is copied and gets a smaller rendition with aligned segments", async () => {
    const media = await converted("plain-720p.mp4");
    expect(names(media)).toEqual(["720p", "360p"]);
    const lengths = async (name: string) =>
      (await readFile(join(media.out, name), "utf8")).match(/#EXTINF:[\d.]+/g) ?? [];
    expect(await lengths("720p.m3u8")).toEqual(await lengths("360p.m3u8"));
  });

  test("is converted to exactly the files listed, including a master playlist and a storyboard", async () => {
    const media = await converted("plain-720p.mp4");
    expect((await readdir(media.out)).sort()).toEqual([...media.files].sort());
    const master = await readFile(join(media.out, media.playback), "utf8");
    expect(master).toMatch(/CODECS="avc1\.[0-9a-f]{6},mp4a\.40\.2",RESOLUTION=1280x720,FRAME-RATE=25\.000/);
    expect(await readFile(join(media.out, media.storyboard!), "utf8")).toMatch(/^WEBVTT\n\n00:00:00\.000 --> /);
  });

  test.each<[PlayableName, Partial<Media> & { renditions?: never }, string[]]>([
    ["silent.mp4", { width: 320, height: 180 }, ["180p"]],
    ["portrait.mp4", { width: 180, height: 320 }, ["180p"]],
    ["turned.mp4", { width: 180, height: 320 }, ["180p"]],
    ["odd-sizes.mkv", { width: 321, height: 181 }, ["180p"]],
    ["ten-bit-hdr.mp4", { width: 320, height: 180 }, ["180p"]],
    ["four-four-four.mp4", { width: 320, height: 180 }, ["180p"]],
    ["interlaced-anamorphic.ts", { width: 512, height: 288 }, ["288p"]],
    ["surround.mkv", { width: 320 }, ["180p"]],
    ["tenth-of-a-second.mp4", { duration_s: 0.12 }, ["180p"]],
    ["fast.mp4", { duration_s: 1 }, ["90p"]],
    ["moving.gif", { duration_s: 1 }, ["90p"]],
    ["old.avi", {}, ["180p"]],
  ])("%s gets the expected size, duration and renditions", async (name, properties, rungs) => {
    const media = await converted(name);
    expect(media).toMatchObject(properties);
    expect(names(media)).toEqual(rungs);
    expect(media.files).toContain("poster.jpg");
  });

  test("with a variable frame rate is encoded and keeps its duration", async () => {
    const media = await converted("changing-rate.mp4");
    expect(media.notes?.plan.copyVideo).toBe(false);
    expect(media.duration_s).toBeGreaterThan(2.7);
    expect(media.duration_s).toBeLessThan(3.3);
  });

  test("with few keyframes is encoded, so that playback starts quickly", async () => {
    expect((await converted("one-keyframe.mp4")).notes?.plan.copyVideo).toBe(false);
  });

  test("with a bitrate too high to stream is encoded", async () => {
    expect((await converted("high-bitrate.mp4")).notes?.plan.copyVideo).toBe(false);
  });

  test("with high dynamic range is tone-mapped", async () => {
    expect((await converted("ten-bit-hdr.mp4")).notes?.plan.tonemap).toBe("pq");
  });

  test("gets its actual duration even if its header claims a duration of hours", async () => {
    const outcome = await run(await unplayable(folder, "claims-hours.mkv"));
    expect(outcome).toMatchObject({ how: "converted", media: { duration_s: 2 } });
  });

  test("gets a measured duration if its header has none", async () => {
    const media = await converted("without-duration.webm");
    expect(media.duration_s).toBeGreaterThan(1.8);
    expect(media.duration_s).toBeLessThan(2.2);
  });
});

describe("an unplayable file", () => {
  test.each<[UnplayableName, MediaError]>([
    ["playlist.mp4", "unreadable"],
    ["playlist-to-network.mp4", "unreadable"],
    ["concat.mp4", "unreadable"],
    ["dash.mp4", "unreadable"],
    ["session.mp4", "unreadable"],
    ["drawing.mp4", "unreadable"],
    ["text.mp4", "unreadable"],
    ["random.mp4", "unreadable"],
    ["still.mp4", "unreadable"],
    ["photo.mp4", "unreadable"],
    ["cut-front.mp4", "unreadable"],
    ["cut-end.mp4", "truncated"],
    ["claims-days.mkv", "too_long"],
    ["sound.mp3", "no_video"],
    ["cover-art.m4a", "no_video"],
    ["many-streams.mkv", "too_many_streams"],
    ["huge.mp4", "too_large"],
  ])("%s is rejected as %s, with a message", async (name, code) => {
    const outcome = await run(await unplayable(folder, name));
    expect(outcome).toMatchObject({ how: "refused", refusal: { code, message: MEDIA_ERRORS[code] } });
  });
});

test("canceling a conversion stops ffmpeg", async () => {
  const input = await playable(folder, "plain-720p.mp4");
  const stop = new AbortController();
  const outcome = run(input, stop.signal);
  stop.abort();
  expect(await outcome).toMatchObject({ how: "canceled" });
});
