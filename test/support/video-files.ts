import { execFile } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { copyFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll } from "vitest";

const run = promisify(execFile);

/** Creates a folder for the test file's input videos. It is removed when the test file ends. */
export async function videoFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "mave-video-"));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs ffmpeg with these arguments and an output file. @returns the file's path */
async function ffmpeg(folder: string, args: string, name: string): Promise<string> {
  const path = join(folder, name);
  await run("ffmpeg", ["-v", "error", "-y", ...args.split(" "), path]);
  return path;
}

const SMALL = "-f lavfi -i testsrc2=s=320x180:r=25:d=2";
const SOUND = "-f lavfi -i sine=d=2";
const H264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";
const SMALL_MP4 = `${SMALL} ${SOUND} ${H264} -g 50 -c:a aac -movflags +faststart`;

/** ffmpeg arguments for playable files. */
const PLAYABLE = {
  "plain.mp4": SMALL_MP4,
  "plain-720p.mp4": `-f lavfi -i testsrc2=s=1280x720:r=25:d=2 ${SOUND} ${H264} -g 50 -b:v 3M -c:a aac`,
  "silent.mp4": `${SMALL} ${H264} -g 50`,
  "odd-sizes.mkv": "-f lavfi -i testsrc=s=321x181:r=25:d=1 -c:v libx264 -preset ultrafast -pix_fmt yuv444p",
  "portrait.mp4": `-f lavfi -i testsrc2=s=180x320:r=25:d=1 ${H264}`,
  "changing-rate.mp4": `-f lavfi -i testsrc2=s=320x180:r=30:d=3 -vf select='if(lt(t,1),1,not(mod(n,5)))' -vsync vfr ${H264}`,
  "ten-bit-hdr.mp4":
    "-f lavfi -i testsrc2=s=320x180:r=25:d=1 -c:v libx264 -preset ultrafast -pix_fmt yuv420p10le -color_trc smpte2084 -color_primaries bt2020 -colorspace bt2020nc",
  "four-four-four.mp4": "-f lavfi -i testsrc2=s=320x180:r=25:d=1 -c:v libx264 -preset ultrafast -pix_fmt yuv444p",
  "interlaced-anamorphic.ts":
    "-f lavfi -i testsrc2=s=360x288:r=25:d=1 -vf setsar=64/45,setfield=tff -flags +ilme+ildct -c:v mpeg2video -b:v 1M",
  "surround.mkv": `${SMALL} -f lavfi -i aevalsrc=0.1|0.1|0.1|0.1|0.1|0.1:c=5.1:d=2 ${H264} -c:a ac3`,
  "tenth-of-a-second.mp4": `-f lavfi -i testsrc2=s=320x180:r=25:d=0.12 ${H264}`,
  "one-keyframe.mp4": `-f lavfi -i testsrc2=s=160x90:r=10:d=12 ${H264} -g 1000 -keyint_min 1000 -sc_threshold 0`,
  "fast.mp4": `-f lavfi -i testsrc2=s=160x90:r=120:d=1 ${H264}`,
  "moving.gif": "-f lavfi -i testsrc2=s=160x90:r=10:d=1",
  "old.avi": `${SMALL} ${SOUND} -c:v mpeg4 -c:a mp3`,
  /** Takes a moment to process, because its frame rate is too high for the stream to be copied. */
  "long.mp4": `-f lavfi -i testsrc2=s=1280x720:r=120:d=4 ${H264}`,
  "high-bitrate.mp4": `-f lavfi -i testsrc2=s=640x360:r=25:d=2,noise=alls=100:allf=t ${H264} -b:v 20M -minrate 20M -maxrate 20M -bufsize 20M`,
} as const;

export type PlayableName = keyof typeof PLAYABLE | "turned.mp4" | "without-duration.webm";

/** Creates a small playable file of at most twelve seconds. */
export async function playable(folder: string, name: PlayableName): Promise<string> {
  if (name === "turned.mp4") {
    const source = await ffmpeg(folder, `-f lavfi -i testsrc2=s=320x180:r=25:d=1 ${H264}`, "unturned.mp4");
    return ffmpeg(folder, `-i ${source} -c copy -metadata:s:v:0 rotate=90`, name);
  }
  // A live stream without a duration, like those from a browser's MediaRecorder.
  if (name === "without-duration.webm")
    return ffmpeg(folder, `${SMALL} -c:v libvpx -deadline realtime -cpu-used 8 -f webm -live 1`, name);
  return ffmpeg(folder, PLAYABLE[name], name);
}

/** Creates a file that must be rejected. */
export async function unplayable(folder: string, name: UnplayableName): Promise<string> {
  const path = join(folder, name);
  const made = await UNPLAYABLE[name](folder, path);
  if (typeof made === "string") await writeFile(path, made);
  return path;
}

const SEGMENT = "file:///etc/passwd";
const UNPLAYABLE = {
  "playlist.mp4": async () => `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n${SEGMENT}\n#EXT-X-ENDLIST\n`,
  "playlist-to-network.mp4": async () =>
    "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
  "concat.mp4": async () => `ffconcat version 1.0\nfile '${SEGMENT}'\n`,
  "dash.mp4": async () =>
    `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT4S" profiles="urn:mpeg:dash:profile:isoff-main:2011"><Period><AdaptationSet><Representation id="1"><BaseURL>${SEGMENT}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
  "session.mp4": async () => "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
  "drawing.mp4": async () =>
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="10" height="10"><image xlink:href="${SEGMENT}"/></svg>`,
  "text.mp4": async () => "This is not a video. ".repeat(100),
  "random.mp4": async (_folder: string, path: string) => {
    await writeFile(path, randomFillSync(Buffer.alloc(100_000)));
  },
  "still.mp4": async (folder: string, path: string) => {
    await copyFile(await ffmpeg(folder, "-f lavfi -i testsrc2=s=320x180:d=1 -frames:v 1", "still.png"), path);
  },
  "photo.mp4": async (folder: string, path: string) => {
    await copyFile(await ffmpeg(folder, "-f lavfi -i testsrc2=s=320x180:d=1 -frames:v 1", "photo.jpg"), path);
  },
  "sound.mp3": async (folder: string) => {
    await ffmpeg(folder, SOUND, "sound.mp3");
  },
  "cover-art.m4a": async (folder: string) => {
    const cover = await ffmpeg(folder, "-f lavfi -i testsrc2=s=320x180:d=1 -frames:v 1", "cover.png");
    await ffmpeg(
      folder,
      `${SOUND} -i ${cover} -map 0 -map 1 -c:a aac -c:v copy -disposition:v attached_pic`,
      "cover-art.m4a",
    );
  },
  "cut-front.mp4": async (folder: string, path: string) => {
    await copyFile(await ffmpeg(folder, `${SMALL} ${H264}`, "tail-index.mp4"), path);
    await truncate(path, Math.floor((await stat(path)).size / 2)); // this removes the index, which is at the end
  },
  "cut-end.mp4": async (folder: string, path: string) => {
    const long = "-f lavfi -i testsrc2=s=320x180:r=25:d=12";
    await copyFile(await ffmpeg(folder, `${long} ${H264} -g 25 -movflags +faststart`, "whole.mp4"), path);
    await truncate(path, Math.floor((await stat(path)).size / 3));
  },
  "claims-hours.mkv": async (folder: string, path: string) => {
    await copyFile(await ffmpeg(folder, `${SMALL} ${H264}`, "claims.mkv"), path);
    await claimDuration(path, 5 * 3600);
  },
  "claims-days.mkv": async (folder: string, path: string) => {
    await copyFile(await ffmpeg(folder, `${SMALL} ${H264}`, "claims.mkv"), path);
    await claimDuration(path, 100 * 3600);
  },
  "many-streams.mkv": async (folder: string) => {
    const source = await ffmpeg(folder, `-f lavfi -i testsrc2=s=32x32:r=5:d=0.4 ${H264}`, "one-stream.mp4");
    const maps = Array.from({ length: 41 }, () => "-map 0").join(" ");
    await ffmpeg(folder, `-i ${source} ${maps} -c copy`, "many-streams.mkv");
  },
  "huge.mp4": async (folder: string) => {
    await ffmpeg(folder, "-f lavfi -i color=s=16000x64:r=1:d=1 -c:v mjpeg -f mov", "huge.mp4");
  },
} satisfies Record<string, (folder: string, path: string) => Promise<unknown>>;

export type UnplayableName = keyof typeof UNPLAYABLE;

/** Overwrites the duration in a Matroska header, so that a tiny file claims to last for hours. */
async function claimDuration(path: string, seconds: number): Promise<void> {
  const bytes = await readFile(path);
  const at = bytes.indexOf(Buffer.from([0x44, 0x89, 0x88])); // the Duration element, eight bytes long
  bytes.writeDoubleBE(seconds * 1000, at + 3);
  await writeFile(path, bytes);
}
