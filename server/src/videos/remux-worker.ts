import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import * as mediabunny from "mediabunny";
import { LIMITS } from "../kernel/limits.ts";
import { ConversionEnded, type ConversionOutcome, type Media, refuse } from "./conversion.ts";
import { bitrate, masterPlaylist, playlistDuration, readPlaylist } from "./playlist.ts";
import { refusal } from "./probe.ts";

/** A task for the worker thread that remux.ts starts. The thread reports its progress and outcome as messages. */
interface Task {
  input: string;
  folder: string;
  onProgress: (percent: number) => void;
}

async function remuxFile(task: Task): Promise<ConversionOutcome> {
  const source = new mediabunny.FilePathSource(task.input, { handleUnhandledError: () => undefined });
  // Don't use ALL_FORMATS. It includes HLS, so a playlist disguised as .mp4 could open local paths.
  const formats = [mediabunny.MP4, mediabunny.QTFF, mediabunny.MATROSKA, mediabunny.WEBM, mediabunny.MPEG_TS];
  const input = new mediabunny.Input({ source, formats });
  try {
    return { how: "converted", media: await remux(task, input) };
  } catch (error) {
    if (error instanceof ConversionEnded) return error.outcome;
    const { code } = error as NodeJS.ErrnoException;
    if (code !== undefined) return { how: "error", detail: String(error) };
    return new ConversionEnded(withoutFfmpeg(String(error))).outcome;
  } finally {
    input.dispose();
  }
}

const MASTER = "master.m3u8";

async function remux({ folder, onProgress }: Task, input: mediabunny.Input): Promise<Media> {
  const source = await inspect(input);
  const name = `${Math.min(source.width, source.height)}p`;
  const fragments: Fragment[] = [];
  const head = { bytes: 0 };
  const format = new mediabunny.Mp4OutputFormat({
    fastStart: "fragmented",
    minimumFragmentDuration: SEGMENT_S,
    onMoov: (box, offset) => {
      head.bytes = offset + box.length;
    },
    onMoof: (_box, offset, at_s) => fragments.push({ offset, bytes: 0, at_s }),
    onMdat: (box, offset) => {
      const last = fragments.at(-1)!;
      last.bytes = offset + box.length - last.offset;
    },
  });
  const target = new mediabunny.FilePathTarget(join(folder, `${name}.mp4`));
  const output = new mediabunny.Output({ format, target });
  const conversion = await mediabunny.Conversion.init({
    input,
    output,
    tracks: "primary",
    tags: {},
    showWarnings: false,
  });
  if (!conversion.isValid || conversion.utilizedTracks.length < source.tracks)
    return needsFfmpeg("a track cannot be copied");
  conversion.onProgress = (done) => onProgress(Math.floor(done * 98));
  await conversion.execute();
  await writeFile(join(folder, `${name}.m3u8`), mediaPlaylist(`${name}.mp4`, head.bytes, fragments, source.duration_s));
  return describe(folder, name, source);
}

const SEGMENT_S = 4; // short enough to start quickly, long enough to need few requests

interface Fragment {
  offset: number;
  bytes: number;
  at_s: number;
}

function mediaPlaylist(file: string, headBytes: number, fragments: Fragment[], end_s: number): string {
  const lengths = fragments.map(({ at_s }, index) => Math.max(0.001, (fragments[index + 1]?.at_s ?? end_s) - at_s));
  return [
    ...["#EXTM3U", "#EXT-X-VERSION:7", `#EXT-X-TARGETDURATION:${Math.ceil(Math.max(1, ...lengths))}`],
    ...["#EXT-X-MEDIA-SEQUENCE:0", "#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-INDEPENDENT-SEGMENTS"],
    `#EXT-X-MAP:URI="${file}",BYTERANGE="${headBytes}@0"`,
    ...fragments.flatMap(({ offset, bytes }, index) => [
      `#EXTINF:${lengths[index]!.toFixed(6)},`,
      `#EXT-X-BYTERANGE:${bytes}@${offset}`,
      file,
    ]),
    "#EXT-X-ENDLIST\n",
  ].join("\n");
}

interface Source {
  width: number;
  height: number;
  duration_s: number;
  fps: number;
  codec: string;
  tracks: number;
}

/** Reads the file's properties. Ends the conversion if the file is not a video or needs ffmpeg. */
async function inspect(input: mediabunny.Input): Promise<Source> {
  if (!(await input.canRead())) return needsFfmpeg("unknown container");
  const video = await input.getPrimaryVideoTrack();
  const audio = await input.getPrimaryAudioTrack();
  if (!video) return refuse("no_video", "no video track");
  const codec = (await video.getCodecParameterString()) ?? "";
  const sound = audio === null ? null : await audio.getCodec();
  if (!EIGHT_BIT_AVC.test(codec) || (sound !== null && sound !== "aac")) return needsFfmpeg(`${codec}, ${sound}`);
  if ((await video.getRotation()) !== 0) return needsFfmpeg("rotated video");
  const duration_s = await video.computeDuration();
  if (duration_s > LIMITS.VIDEO_DURATION_MAX_S) return refuse("too_long", `${duration_s} s`);
  const { averagePacketRate } = await video.computePacketStats(100);
  return {
    width: await video.getDisplayWidth(),
    height: await video.getDisplayHeight(),
    duration_s: Math.round(duration_s * 1000) / 1000,
    fps: averagePacketRate,
    codec: audio ? `${codec},mp4a.40.2` : codec,
    tracks: audio ? 2 : 1,
  };
}

/** Baseline, Main and High profiles, which every browser can play. */
const EIGHT_BIT_AVC = /^avc1\.(?:42|4d|58|64)/i;

async function describe(folder: string, name: string, source: Source): Promise<Media> {
  const { width, height, duration_s, fps, codec } = source;
  const playlist = readPlaylist(await readFile(join(folder, `${name}.m3u8`), "utf8"));
  if (!playlist.ended || playlistDuration(playlist) === 0) return needsFfmpeg("the output has no segment");
  const rate = bitrate(playlist);
  await writeFile(join(folder, MASTER), masterPlaylist([{ name, width, height, fps, codec, bitrate: rate }], null));
  return {
    files: [MASTER, `${name}.m3u8`, `${name}.mp4`],
    playback: MASTER,
    poster: null,
    storyboard: null,
    ...{ duration_s, width, height },
    renditions: [{ name, width, height, bitrate: rate.peak }],
    notes: null,
  };
}

const withoutFfmpeg = (detail: string) => ({ how: "refused", refusal: refusal("ffmpeg_missing"), detail }) as const;

function needsFfmpeg(detail: string): never {
  return refuse("ffmpeg_missing", detail);
}

const { input, folder } = workerData as { input: string; folder: string };
const post = (message: { percent: number } | { outcome: ConversionOutcome }) => parentPort?.postMessage(message);
post({ outcome: await remuxFile({ input, folder, onProgress: (percent) => post({ percent }) }) });
