import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isRefusal, readProbe } from "./probe.ts";

const picture = {
  ...{ index: 0, codec_type: "video", codec_name: "h264", pix_fmt: "yuv420p", level: 31, width: 1280, height: 720 },
  ...{ r_frame_rate: "30000/1001", avg_frame_rate: "30000/1001", bit_rate: "4000000", duration: "12.5" },
};
const sound = { index: 1, codec_type: "audio", codec_name: "aac", profile: "LC", channels: 2 };
const probe = (streams: object[], format: object = { format_name: "mov,mp4", duration: "12.6" }) =>
  readProbe(JSON.stringify({ streams, format }));

test("readProbe reads a file's video and audio tracks", () => {
  expect(probe([picture, sound])).toMatchObject({
    duration_s: 12.6,
    video: {
      codec: "h264",
      width: 1280,
      height: 720,
      fps: expect.closeTo(29.97),
      duration_s: 12.5,
      squarePixels: true,
    },
    audio: { index: 1, codec: "aac", profile: "LC", channels: 2 },
  });
});

describe("readProbe", () => {
  test("swaps the width and height of a rotated video", () => {
    const turned = { ...picture, side_data_list: [{ rotation: -90 }] };
    expect(probe([turned])).toMatchObject({ video: { width: 720, height: 1280, rotation: 270 } });
  });
  test("widens a video with non-square pixels", () => {
    expect(probe([{ ...picture, width: 720, height: 576, sample_aspect_ratio: "64:45" }])).toMatchObject({
      video: { width: 1024, height: 576, squarePixels: false },
    });
    expect(probe([{ ...picture, sample_aspect_ratio: "0:1" }])).toMatchObject({ video: { width: 1280 } });
  });
  test("ignores cover art and streams without a size", () => {
    const cover = { ...picture, codec_name: "png", disposition: { attached_pic: 1 } };
    expect(probe([sound, cover])).toMatchObject({ code: "no_video" });
    expect(probe([sound, { ...picture, width: 0 }])).toMatchObject({ code: "no_video" });
  });
  test("reads Matroska durations, which are written as clock times", () => {
    const { duration: _, ...rest } = picture;
    expect(probe([{ ...rest, tags: { DURATION: "01:02:03.500000000" } }])).toMatchObject({
      video: { duration_s: 3723.5 },
    });
  });
});

test.each<[string, object[], object, string]>([
  ["an empty probe", [], {}, "unreadable"],
  ["41 streams", Array.from({ length: 41 }, () => sound), {}, "too_many_streams"],
  ["a side of 8193 pixels", [{ ...picture, width: 8193 }], {}, "too_large"],
  ["a duration of six hours and a second", [picture], { duration: "21601" }, "too_long"],
])("readProbe rejects %s", (_what, streams, format, code) => {
  expect(probe(streams, format)).toMatchObject({ code, message: expect.stringMatching(/\.$/) });
});

test("readProbe never throws, whatever ffprobe prints", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (output) => {
      const read = readProbe(output);
      expect(isRefusal(read) || read.video.width > 0).toBe(true);
    }),
    { numRuns: 500 },
  );
  for (const output of ["null", "[]", '{"streams":null}', '{"streams":[null]}', '{"streams":{},"format":1}'])
    expect(readProbe(output)).toMatchObject({ code: "unreadable" });
});
