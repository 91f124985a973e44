import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { couldCopy, decide } from "./decide.ts";
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

describe("Whatever the file", () => {
  test("the rungs are even, never larger than the source, at most 1080 high, each well below the last", () => {
    fc.assert(
      fc.property(anyProbe, anyGap, (probe, gap) => {
        const { rungs } = decide(probe, gap);
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

  test("a picture that is large enough keeps its shape", () => {
    fc.assert(
      fc.property(anyProbe, (probe) => {
        const { width, height } = probe.video;
        fc.pre(Math.min(width, height) >= 180 && Math.max(width, height) / Math.min(width, height) < 4);
        for (const rung of decide(probe, null).rungs)
          expect(Math.abs(rung.width / rung.height / (width / height) - 1)).toBeLessThan(0.02);
      }),
    );
  });

  test("frames come at a rate between 5 and 60, or their own where it is constant", () => {
    fc.assert(
      fc.property(anyProbe, anyGap, (probe, gap) => {
        const { fps, copyVideo } = decide(probe, gap);
        if (fps === null) return expect(copyVideo || probe.video.fps <= 60).toBe(true);
        expect(fps).toBeGreaterThanOrEqual(5);
        expect(fps).toBeLessThanOrEqual(60);
      }),
    );
  });

  test("nothing is copied without knowing its keyframes, or after a copy came out wrong", () => {
    fc.assert(
      fc.property(anyProbe, fc.double({ min: 0, max: 10, noNaN: true }), (probe, gap) => {
        expect(decide(probe, null).copyVideo).toBe(false);
        expect(decide(probe, gap, false).copyVideo).toBe(false);
        expect(decide(probe, gap).copyVideo).toBe(couldCopy(probe));
      }),
    );
  });

  test("ffmpeg opens one input, ours, with its formats and protocols named before it", () => {
    fc.assert(
      fc.property(anyProbe, anyGap, (probe, gap) => {
        const args = ladderArguments("/in/put", "/out", probe, decide(probe, gap));
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

describe("The picture is copied", () => {
  test("where browsers play it as it is", () => {
    expect(decide(copyable, 2)).toMatchObject({ copyVideo: true, copyAudio: true, fps: null });
    expect(decide(copyable, 2).rungs.map(({ name }) => name)).toEqual(["1080p", "360p"]);
  });

  test.each<[string, Probe]>([
    ["another codec", video({ codec: "hevc" })],
    ["ten bits", video({ pixelFormat: "yuv420p10le" })],
    ["interlaced", video({ interlaced: true })],
    ["turned", video({ rotation: 90 })],
    ["stretched", video({ squarePixels: false })],
    ["larger than 1080", video({ width: 2560, height: 1440 })],
    ["too fast", video({ fps: 120, averageFps: 120 })],
    ["too high a level", video({ level: 52 })],
    ["too many bits", video({ bitrate: 8_000_001 })],
    ["an unknown bit rate", video({ bitrate: null })],
    ["a changing frame rate", video({ averageFps: 29.5 })],
    ["high dynamic range", video({ hdr: "hlg" })],
    ["an odd size", video({ width: 1919 })],
    ["another container", { ...copyable, container: "matroska,webm" }],
  ])("but not where it is %s", (_why, probe) => {
    expect(couldCopy(probe)).toBe(false);
  });

  test("but not with more than ten seconds between keyframes", () => {
    expect(decide(copyable, 10).copyVideo).toBe(true);
    expect(decide(copyable, 10.01).copyVideo).toBe(false);
  });
});

test("A 4K picture on its side becomes 1080, 720 and 360 wide", () => {
  expect(decide(video({ width: 2160, height: 3840 }), 2).rungs).toMatchObject([
    { name: "1080p", width: 1080, height: 1920, maxrate_kbps: 5000 },
    { name: "720p", width: 720, height: 1280, maxrate_kbps: 2800 },
    { name: "360p", width: 360, height: 640, maxrate_kbps: 800 },
  ]);
});
