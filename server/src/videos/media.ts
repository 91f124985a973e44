import { mkdir, open, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Conversion,
  ConversionEnded,
  type ConversionOutcome,
  checkNotEnded,
  checkSucceeded,
  type Media,
  refuse,
} from "./conversion.ts";
import { type ConversionPlan, planConversion, type Rung } from "./conversion-plan.ts";
import * as ffmpegArguments from "./ffmpeg-arguments.ts";
import { inspect } from "./inspect.ts";
import * as playlists from "./playlist.ts";
import type { Probe } from "./probe.ts";

/** Probes a file, converts it, verifies the output, and creates a poster and a storyboard. Writes only to `folder`. */
export async function convert(conversion: Conversion): Promise<ConversionOutcome> {
  try {
    return { how: "converted", media: await convertOrThrow(conversion) };
  } catch (error) {
    if (error instanceof ConversionEnded) return error.outcome;
    if (conversion.signal.aborted) return { how: "canceled" };
    return { how: "error", detail: String(error) };
  }
}

async function convertOrThrow(conversion: Conversion): Promise<Media> {
  const { probe, duration_s, keyframeGap_s } = await inspect(conversion);
  const source_s = probe.video.duration_s ?? duration_s;
  let plan = planConversion(probe, keyframeGap_s);
  let streams = await encode(conversion, probe, plan, source_s);
  if (plan.copyVideo && !fits(streams, source_s)) {
    plan = planConversion(probe, keyframeGap_s, false);
    streams = await encode(conversion, probe, plan, source_s);
  }
  const length_s = playlists.playlistDuration(streams[0]!.playlist);
  if (length_s === 0) refuse("unreadable", "the output has no segment");
  if (length_s < source_s && !fits(streams, source_s))
    refuse("truncated", `the output has ${length_s} s of ${source_s} s`);
  return finishFolder(conversion, probe, plan, streams, bestDuration(streams, duration_s));
}

/** Writes the master playlist, poster and storyboard, and lists all files. */
async function finishFolder(
  conversion: Conversion,
  probe: Probe,
  plan: ConversionPlan,
  streams: Stream[],
  duration_s: number,
): Promise<Media> {
  const { folder, onProgress } = conversion;
  const variants = plan.rungs.map((rung, index) => variantOf(rung, streams[index]!, probe, plan));
  const sound = streams[plan.rungs.length];
  const audio = sound ? { name: sound.name, codec: "mp4a.40.2", bitrate: playlists.bitrate(sound.playlist) } : null;
  await writeFile(join(folder, MASTER), playlists.masterPlaylist(variants, audio));
  onProgress(97);
  const poster = await makePoster(conversion, probe, plan, duration_s);
  onProgress(98);
  const storyboard = await makeStoryboard(conversion, plan.rungs.at(-1)!, duration_s);
  onProgress(99);
  const extras = [...(poster ? [poster] : []), ...(storyboard ? [STORYBOARD_IMAGE, STORYBOARD_CUES] : [])];
  return {
    files: [MASTER, ...streams.flatMap(({ name }) => [`${name}.mp4`, `${name}.m3u8`]), ...extras],
    playback: MASTER,
    poster,
    storyboard,
    duration_s,
    width: probe.video.width,
    height: probe.video.height,
    renditions: variants.map(({ name, width, height, bitrate }) => ({
      ...{ name, width, height },
      bitrate: bitrate.peak + (audio?.bitrate.peak ?? 0),
    })),
    notes: { probe, plan },
  };
}

const MASTER = "master.m3u8";
const POSTER = "poster.jpg";
const STORYBOARD_IMAGE = "storyboard.jpg";
const STORYBOARD_CUES = "storyboard.vtt";

interface Stream {
  name: string;
  playlist: playlists.MediaPlaylist;
  codec: string | null;
}

/** Encodes all streams in one run. @returns the streams in the plan's order, with audio last */
async function encode(
  conversion: Conversion,
  probe: Probe,
  plan: ConversionPlan,
  duration_s: number,
): Promise<Stream[]> {
  const { ffmpeg, input, folder, signal, onProgress } = conversion;
  await mkdir(folder, { recursive: true });
  const run = await ffmpeg.run(ffmpegArguments.ladderArguments(input, folder, probe, plan), {
    ...{ signal, duration_s },
    onProgress: (done_s) => onProgress(Math.min(96, Math.floor((done_s / duration_s) * 96))),
  });
  checkSucceeded(run, "unreadable");
  const names = [...plan.rungs.map(({ name }) => name), ...(probe.audio ? [ffmpegArguments.AUDIO_NAME] : [])];
  return Promise.all(names.map((name) => readStream(folder, name)));
}

async function readStream(folder: string, name: string): Promise<Stream> {
  const text = await readFile(join(folder, `${name}.m3u8`), "utf8").catch(() => null);
  if (text === null) return refuse("unreadable", `the output has no playlist ${name}`);
  const playlist = playlists.readPlaylist(text);
  if (!playlist.ended) refuse("unreadable", `the playlist ${name} has no end`);
  return { name, playlist, codec: playlists.avcCodec(await readHead(join(folder, `${name}.mp4`), playlist.head)) };
}

async function readHead(file: string, head: { bytes: number; offset: number } | null): Promise<Buffer> {
  const handle = await open(file);
  try {
    const buffer = Buffer.alloc(Math.min(head?.bytes ?? 4096, 65_536));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, head?.offset ?? 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Returns whether the output's duration is close to the source's. */
const fits = (streams: Stream[], source_s: number): boolean =>
  isNear(playlists.playlistDuration(streams[0]!.playlist), source_s);

const isNear = (length_s: number, source_s: number) => Math.abs(length_s - source_s) <= Math.max(2, source_s * 0.1);

/**
 * Returns the duration from the file's header, which is more precise than the sum of the segment durations. If the two
 * differ too much, returns the sum.
 */
function bestDuration(streams: Stream[], claimed_s: number): number {
  const length_s = Math.max(...streams.map(({ playlist }) => playlists.playlistDuration(playlist)));
  return Math.round((isNear(length_s, claimed_s) ? claimed_s : length_s) * 1000) / 1000;
}

function variantOf(rung: Rung, { playlist, codec }: Stream, { video }: Probe, plan: ConversionPlan): playlists.Variant {
  const { name, width, height } = rung;
  const fps = plan.fps ?? video.fps;
  return { name, width, height, fps, codec: codec ?? "avc1.640028", bitrate: playlists.bitrate(playlist) };
}

/**
 * Captures a frame a tenth of the way into the video, but at most 30 s in, because many videos start with a black
 * frame. Falls back to the first frame.
 */
async function makePoster(
  conversion: Conversion,
  probe: Probe,
  plan: ConversionPlan,
  duration_s: number,
): Promise<string | null> {
  const { ffmpeg, input, folder, signal } = conversion;
  const output = join(folder, POSTER);
  for (const at_s of [Math.min(duration_s * 0.1, 30), 0]) {
    const args = ffmpegArguments.posterArguments(input, output, probe, plan, at_s);
    checkNotEnded(await ffmpeg.run(args, { signal, duration_s }));
    if (await hasBytes(output)) return POSTER;
  }
  return null;
}

async function makeStoryboard(conversion: Conversion, rung: Rung, duration_s: number): Promise<string | null> {
  const { ffmpeg, folder, signal } = conversion;
  const board = ffmpegArguments.planStoryboard(duration_s, rung);
  const output = join(folder, STORYBOARD_IMAGE);
  const args = ffmpegArguments.storyboardArguments(join(folder, `${rung.name}.mp4`), output, board);
  checkNotEnded(await ffmpeg.run(args, { signal, duration_s }));
  if (!(await hasBytes(output))) return null;
  await writeFile(join(folder, STORYBOARD_CUES), playlists.storyboardCues(STORYBOARD_IMAGE, board, duration_s));
  return STORYBOARD_CUES;
}

const hasBytes = async (file: string) => ((await stat(file).catch(() => null))?.size ?? 0) > 0;
