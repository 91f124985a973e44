import { expect, test } from "vitest";
import { avcCodec, bitrate, masterPlaylist, playlistDuration, readPlaylist, storyboardCues } from "./playlist.ts";

const TEXT = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="720p.mp4",BYTERANGE="839@0"
#EXTINF:4.000000,
#EXT-X-BYTERANGE:1000000@839
720p.mp4
#EXTINF:2.000000,
#EXT-X-BYTERANGE:750000@1000839
720p.mp4
#EXTINF:0.040000,
#EXT-X-BYTERANGE:90000@1750839
720p.mp4
#EXT-X-ENDLIST
`;

test("readPlaylist reads the segments, initialization section and end tag from ffmpeg's playlist", () => {
  const playlist = readPlaylist(TEXT);
  expect(playlist).toMatchObject({ ended: true, head: { bytes: 839, offset: 0 } });
  expect(playlist.segments).toHaveLength(3);
  expect(playlistDuration(playlist)).toBeCloseTo(6.04);
});

test("readPlaylist reports that a truncated playlist has no end tag", () => {
  expect(readPlaylist(TEXT.replace("#EXT-X-ENDLIST\n", "")).ended).toBe(false);
  expect(readPlaylist("")).toEqual({ ended: false, segments: [], head: null });
});

test("the peak bitrate ignores a final segment of a few milliseconds", () => {
  expect(bitrate(readPlaylist(TEXT))).toEqual({ peak: 3_000_000, average: Math.ceil((1_840_000 * 8) / 6.04) });
  expect(bitrate(readPlaylist(""))).toEqual({ peak: 0, average: 0 });
});

test("the master playlist lists the codecs, the sizes and the shared audio", () => {
  const rate = { peak: 3_000_000, average: 2_000_000 };
  const variant = { name: "720p", width: 1280, height: 720, fps: 29.97, codec: "avc1.64001f", bitrate: rate };
  const sound = { name: "audio", codec: "mp4a.40.2", bitrate: { peak: 130_000, average: 128_000 } };
  expect(masterPlaylist([variant], sound)).toBe(`#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="Sound",DEFAULT=YES,AUTOSELECT=YES,URI="audio.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=3130000,AVERAGE-BANDWIDTH=2128000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=29.970,AUDIO="sound"
720p.m3u8
`);
  expect(masterPlaylist([variant], null)).not.toContain("AUDIO");
});

test("avcCodec reads the decoder configuration", () => {
  const head = Buffer.concat([Buffer.from("....avcC"), Buffer.from([1, 0x64, 0x00, 0x1f, 0xff])]);
  expect(avcCodec(head)).toBe("avc1.64001f");
  expect(avcCodec(Buffer.from("no configuration"))).toBeNull();
  expect(avcCodec(Buffer.from("avcC"))).toBeNull();
});

test("storyboard cues cover the whole duration, row by row", () => {
  const board = { step_s: 2, count: 3, columns: 2, rows: 2, width: 160, height: 90 };
  expect(storyboardCues("storyboard.jpg", board, 5)).toBe(`WEBVTT

00:00:00.000 --> 00:00:02.000
storyboard.jpg#xywh=0,0,160,90

00:00:02.000 --> 00:00:04.000
storyboard.jpg#xywh=160,0,160,90

00:00:04.000 --> 00:00:05.000
storyboard.jpg#xywh=0,90,160,90
`);
  expect(storyboardCues("s", { ...board, step_s: 3600, count: 2 }, 7199.5)).toContain("01:00:00.000 --> 01:59:59.500");
});
