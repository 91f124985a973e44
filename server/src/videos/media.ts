import { mkdir, open, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decide, type Plan, type Rung } from "./decide.ts";
import * as ffmpegArguments from "./ffmpeg-arguments.ts";
import { inspect } from "./inspect.ts";
import { type Making, type MakingOutcome, mustNotBeStopped, mustSucceed, refuse, Stopped } from "./making.ts";
import * as playlists from "./playlist.ts";
import type { Probe } from "./probe.ts";
import type { Rendition } from "./video.ts";

/** Everything that a version needs to play, in one folder. */
export interface Media {
  /** Names of the files in the folder. */
  files: string[];
  playback: string;
  poster: string | null;
  storyboard: string | null;
  duration_s: number;
  width: number;
  height: number;
  renditions: Rendition[];
  /** What was found and done, for whoever looks into it later. */
  notes: { probe: Probe; plan: Plan } | null;
}

/** Probe, decide, encode, verify, poster, storyboard. Changes nothing outside `folder`. */
export async function makeMedia(making: Making): Promise<MakingOutcome> {
  try {
    return { how: "made", media: await make(making) };
  } catch (error) {
    if (error instanceof Stopped) return error.outcome;
    if (making.signal.aborted) return { how: "canceled" };
    return { how: "fault", detail: String(error) };
  }
}

async function make(making: Making): Promise<Media> {
  const { probe, duration_s, keyframeGap_s } = await inspect(making);
  const source_s = probe.video.duration_s ?? duration_s;
  let plan = decide(probe, keyframeGap_s);
  let made = await encode(making, probe, plan, source_s);
  if (plan.copyVideo && !fits(made, source_s)) {
    plan = decide(probe, keyframeGap_s, false);
    made = await encode(making, probe, plan, source_s);
  }
  const length_s = playlists.playlistDuration(made[0]!.playlist);
  if (length_s === 0) refuse("unreadable", "not one segment came out");
  if (length_s < source_s && !fits(made, source_s)) refuse("truncated", `${length_s} s of ${source_s} s came out`);
  return finishFolder(making, probe, plan, made, trueDuration(made, duration_s));
}

/** The extras beside the encoded streams, and the list of all files. */
async function finishFolder(
  making: Making,
  probe: Probe,
  plan: Plan,
  streams: Stream[],
  duration_s: number,
): Promise<Media> {
  const { folder, onProgress } = making;
  const variants = plan.rungs.map((rung, index) => variantOf(rung, streams[index]!, probe, plan));
  const sound = streams[plan.rungs.length];
  const audio = sound ? { name: sound.name, codec: "mp4a.40.2", bitrate: playlists.bitrate(sound.playlist) } : null;
  await writeFile(join(folder, MASTER), playlists.masterPlaylist(variants, audio));
  onProgress(97);
  const poster = await makePoster(making, probe, plan, duration_s);
  onProgress(98);
  const storyboard = await makeStoryboard(making, plan.rungs.at(-1)!, duration_s);
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

/** One run for all streams; returns them in the plan's order, sound last. */
async function encode(making: Making, probe: Probe, plan: Plan, duration_s: number): Promise<Stream[]> {
  const { ffmpeg, input, folder, signal, onProgress } = making;
  await mkdir(folder, { recursive: true });
  const run = await ffmpeg.run(ffmpegArguments.ladderArguments(input, folder, probe, plan), {
    ...{ signal, duration_s },
    onProgress: (done_s) => onProgress(Math.min(96, Math.floor((done_s / duration_s) * 96))),
  });
  mustSucceed(run, "unreadable");
  const names = [...plan.rungs.map(({ name }) => name), ...(probe.audio ? [ffmpegArguments.AUDIO_NAME] : [])];
  return Promise.all(names.map((name) => readStream(folder, name)));
}

async function readStream(folder: string, name: string): Promise<Stream> {
  const text = await readFile(join(folder, `${name}.m3u8`), "utf8").catch(() => null);
  if (text === null) return refuse("unreadable", `no playlist ${name} came out`);
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

/** Whether what came out is as long as what went in, as far as that can be told. */
const fits = (streams: Stream[], source_s: number): boolean =>
  isNear(playlists.playlistDuration(streams[0]!.playlist), source_s);

const isNear = (length_s: number, source_s: number) => Math.abs(length_s - source_s) <= Math.max(2, source_s * 0.1);

/** What the file's head says, which is more exact than segments; unless it is a lie. */
function trueDuration(streams: Stream[], claimed_s: number): number {
  const length_s = Math.max(...streams.map(({ playlist }) => playlists.playlistDuration(playlist)));
  return Math.round((isNear(length_s, claimed_s) ? claimed_s : length_s) * 1000) / 1000;
}

function variantOf(rung: Rung, { playlist, codec }: Stream, { video }: Probe, plan: Plan): playlists.Variant {
  const { name, width, height } = rung;
  const fps = plan.fps ?? video.fps;
  return { name, width, height, fps, codec: codec ?? "avc1.640028", bitrate: playlists.bitrate(playlist) };
}

/** A tenth into the video, where most have begun; from its start where there is nothing. */
async function makePoster(making: Making, probe: Probe, plan: Plan, duration_s: number): Promise<string | null> {
  const { ffmpeg, input, folder, signal } = making;
  const output = join(folder, POSTER);
  for (const at_s of [Math.min(duration_s * 0.1, 30), 0]) {
    const args = ffmpegArguments.posterArguments(input, output, probe, plan, at_s);
    mustNotBeStopped(await ffmpeg.run(args, { signal, duration_s }));
    if (await hasBytes(output)) return POSTER;
  }
  return null;
}

async function makeStoryboard(making: Making, rung: Rung, duration_s: number): Promise<string | null> {
  const { ffmpeg, folder, signal } = making;
  const board = ffmpegArguments.planStoryboard(duration_s, rung);
  const output = join(folder, STORYBOARD_IMAGE);
  const args = ffmpegArguments.storyboardArguments(join(folder, `${rung.name}.mp4`), output, board);
  mustNotBeStopped(await ffmpeg.run(args, { signal, duration_s }));
  if (!(await hasBytes(output))) return null;
  await writeFile(join(folder, STORYBOARD_CUES), playlists.storyboardCues(STORYBOARD_IMAGE, board, duration_s));
  return STORYBOARD_CUES;
}

const hasBytes = async (file: string) => ((await stat(file).catch(() => null))?.size ?? 0) > 0;
