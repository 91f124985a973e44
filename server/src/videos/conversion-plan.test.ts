import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { couldCopy, planConversion } from "./conversion-plan.ts";
import { ladderArguments } from "./ffmpeg-arguments.ts";
import type { Probe } from "./probe.ts";

const copyable: Probe = {
  container: "mov,mp4,m4a,3gp,3g2,mj2",
  duration_s: 60,
  video: {
    ...{ index: 0, codec: "h264", pixelFormat: "yuv420p", level: 40, width: 1920, height: 1080, squarePixels: true },
    ...{ rotation: 0, interlaced: false, hdr: null, fps: 30, averageFps: 30, bitrate: 4_000_000, duration_s: 60 },
  },
  audio: { index: 1, codec: "aac", profile: "LC", channels: 2 },
};

const video = (change: Partial<Probe["video"]>): Probe => ({ ...copyable, video: { ...copyable.video, ...change } });

const anyProbe: fc.Arbitrary<Probe> = fc.record({
  container: fc.constantFrom("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "mpegts", "avi"),
  duration_s: fc.option(fc.double({ min: 0.04, max: 21_600, noNaN: true })),
  video: fc.record({
    index: fc.nat(40),
    codec: fc.constantFrom("h264", "hevc", "vp9", "av1", "mjpeg"),
    pixelFormat: fc.constantFrom("yuv420p", "yuvj420p", "yuv444p", "yuv420p10le"),
    level: fc.integer({ min: -99, max: 62 }),
    width: fc.integer({ min: 1, max: 8192 }),
    height: fc.integer({ min: 1, max: 8192 }),
    squarePixels: fc.boolean(),
    rotation: fc.constantFrom(0, 90, 180, 270),
    interlaced: fc.boolean(),
    hdr: fc.constantFrom(null, "pq" as const, "hlg" as const),
    fps: fc.double({ min: 0, max: 90_000, noNaN: true }),
    averageFps: fc.double({ min: 0, max: 240, noNaN: true }),
    bitrate: fc.option(fc.nat(100_000_000)),
    duration_s: fc.option(fc.double({ min: 0.04, max: 21_600, noNaN: true })),
  }),
  audio: fc.option(
    fc.record({
      index: fc.nat(40),
      codec: fc.constantFrom("aac", "mp3", "opus"),
      profile: fc.constantFrom("LC", "HE-AAC", ""),
      channels: fc.integer({ min: 1, max: 8 }),
    }),
  ),
});
const anyGap = fc.option(fc.double({ min: 0, max: 1_000, noNaN: true }));

describe("the plan for any file", () => {
  test("has rungs of even width and height, each smaller than the previous one and none larger than the source or 1080p", () => {
    fc.assert(
      fc.property(anyProbe, anyGap, (probe, gap) => {
        const { rungs } = planConversion(probe, gap);
        const { width, height } = probe.video;
        expect(rungs.length).toBeGreaterThan(0);
        for (const rung of rungs) {
          expect([rung.width % 2, rung.height % 2]).toEqual([0, 0]);
          expect(rung.width).toBeLessThanOrEqual(Math.max(16, width));
          expect(rung.height).toBeLessThanOrEqual(Math.max(16, height));
          expect(Math.min(rung.width, rung.height)).toBeLessThanOrEqual(1080);
        }
        for (const [index, rung] of rungs.slice(1).entries())
          expect(rung.width * rung.height).toBeLessThan(rungs[index]!.width * rungs[index]!.height);
        expect(new Set(rungs.map(({ name }) => name)).size).toBe(rungs.length);
      }),
      { numRuns: 2_000 },
    );
  });

  test("keeps the aspect ratio, except for very small or very narrow pictures", () => {
    fc.assert(
      fc.property(anyProbe, (probe) => {
        const { width, height } = probe.video;
        fc.pre(Math.min(width, height) >= 180 && Math.max(width, height) / Math.min(width, height) < 4);
        for (const rung of planConversion(probe, null).rungs)
          expect(Math.abs(rung.width / rung.height / (width / height) - 1)).toBeLessThan(0.02);
      }),
    );
  });

  test("either sets a frame rate between 5 and 60 or keeps the source's rate", () => {
    fc.assert(
      fc.property(anyProbe, anyGap, (probe, gap) => {
        const { fps, copyVideo } = planConversion(probe, gap);
        if (fps === null) return expect(copyVideo || probe.video.fps <= 60).toBe(true);
        expect(fps).toBeGreaterThanOrEqual(5);
        expect(fps).toBeLessThanOrEqual(60);
      }),
    );
  });

  test("does not copy the video stream if its keyframes are unknown or if a previous copy failed", () => {
    fc.assert(
      fc.property(anyProbe, fc.double({ min: 0, max: 10, noNaN: true }), (probe, gap) => {
        expect(planConversion(probe, null).copyVideo).toBe(false);
        expect(planConversion(probe, gap, false).copyVideo).toBe(false);
        expect(planConversion(probe, gap).copyVideo).toBe(couldCopy(probe));
      }),
    );
  });

  test("gives ffmpeg exactly one input, preceded by the allowed formats and protocols", () => {
    fc.assert(
      fc.property(anyProbe, anyGap, (probe, gap) => {
        const args = ladderArguments("/in/put", "/out", probe, planConversion(probe, gap));
        const inputs = args.flatMap((word, index) => (word === "-i" ? [index] : []));
        expect(inputs).toHaveLength(1);
        expect(args[inputs[0]! + 1]).toBe("/in/put");
        expect(args.slice(0, inputs[0])).toEqual(
          expect.arrayContaining(["-protocol_whitelist", "file,pipe", "-format_whitelist"]),
        );
        expect(args.join(" ")).not.toMatch(/NaN|undefined|Infinity|null,/);
      }),
    );
  });
});

describe("the video stream is copied", () => {
  test("if browsers can play it unchanged", () => {
    expect(planConversion(copyable, 2)).toMatchObject({ copyVideo: true, copyAudio: true, fps: null });
    expect(planConversion(copyable, 2).rungs.map(({ name }) => name)).toEqual(["1080p", "360p"]);
  });

  test.each<[string, Probe]>([
    ["another codec", video({ codec: "hevc" })],
    ["10-bit color", video({ pixelFormat: "yuv420p10le" })],
    ["interlacing", video({ interlaced: true })],
    ["rotation", video({ rotation: 90 })],
    ["non-square pixels", video({ squarePixels: false })],
    ["a side over 1080", video({ width: 2560, height: 1440 })],
    ["too high a frame rate", video({ fps: 120, averageFps: 120 })],
    ["too high a level", video({ level: 52 })],
    ["too high a bitrate", video({ bitrate: 8_000_001 })],
    ["an unknown bitrate", video({ bitrate: null })],
    ["a variable frame rate", video({ averageFps: 29.5 })],
    ["high dynamic range", video({ hdr: "hlg" })],
    ["an odd size", video({ width: 1919 })],
    ["another container", { ...copyable, container: "matroska,webm" }],
  ])("unless it has %s", (_why, probe) => {
    expect(couldCopy(probe)).toBe(false);
  });

  test("unless there are more than ten seconds between keyframes", () => {
    expect(planConversion(copyable, 10).copyVideo).toBe(true);
    expect(planConversion(copyable, 10.01).copyVideo).toBe(false);
  });
});

test("a portrait 4K video gets renditions that are 1080, 720 and 360 pixels wide", () => {
  expect(planConversion(video({ width: 2160, height: 3840 }), 2).rungs).toMatchObject([
    { name: "1080p", width: 1080, height: 1920, maxrate_kbps: 5000 },
    { name: "720p", width: 720, height: 1280, maxrate_kbps: 2800 },
    { name: "360p", width: 360, height: 640, maxrate_kbps: 800 },
  ]);
});
