import { LIMITS } from "../kernel/limits.ts";
import type { ConversionPlan, Rung } from "./conversion-plan.ts";
import type { Probe } from "./probe.ts";

/**
 * Builds the argument lists for ffmpeg and ffprobe. Pure. All paths are generated, so uploaders cannot influence any
 * argument.
 *
 * The whitelists before each `-i` keep a playlist disguised as .mp4 from opening other files and URLs. The protocol
 * whitelist alone is not enough, because it has to allow `file`. The format whitelist includes audio formats so that
 * audio files fail as "no video" rather than "unreadable".
 */
const SAFE = [
  ["-protocol_whitelist", "file,pipe"],
  [
    "-format_whitelist",
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,mxf,gif,wav,mp3,aac,flac",
  ],
  ["-max_pixels", String(LIMITS.VIDEO_PIXELS_MAX)],
].flat();

const QUIET = ["-v", "error", "-hide_banner"];
const RUN = ["-hide_banner", "-loglevel", "warning", "-nostdin", "-y", "-nostats"];
const PROGRESS = ["-progress", "pipe:1", "-stats_period", "0.5"];

export const probeArguments = (input: string): string[] => [
  ...QUIET,
  ...SAFE,
  ...["-show_format", "-show_streams", "-of", "json"],
  ...["-i", input],
];

/** Makes ffprobe print each video packet's time and flags on one line. A keyframe's flags start with K. */
export const keyframeArguments = (input: string, { video }: Probe): string[] => [
  ...QUIET,
  ...SAFE,
  ...["-select_streams", String(video.index), "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0"],
  ...["-i", input],
];

/** Makes ffmpeg read the whole file to determine its duration. */
export const measureArguments = (input: string, { video }: Probe): string[] => [
  ...RUN,
  ...PROGRESS,
  ...SAFE,
  ...["-i", input, "-map", `0:${video.index}`, "-c", "copy", "-f", "null", "-"],
];

export const AUDIO_NAME = "audio";

/**
 * Encodes all rungs in one run, which takes 78% of the CPU time that separate runs would. Writes NAME.mp4 and
 * NAME.m3u8.
 */
export function ladderArguments(input: string, folder: string, probe: Probe, plan: ConversionPlan): string[] {
  const encoded = plan.copyVideo ? plan.rungs.slice(1) : plan.rungs;
  const copied = plan.rungs.length - encoded.length;
  return [
    ...[...RUN, ...PROGRESS, ...SAFE, "-i", input],
    ...(encoded.length > 0 ? ["-filter_complex", filters(probe, plan, encoded)] : []),
    ...(copied ? ["-map", `0:${probe.video.index}`, "-c:v:0", "copy"] : []),
    ...encoded.flatMap((rung, index) => encoderArguments(rung, copied + index, index, plan)),
    ...audioArguments(probe, plan),
    ...["-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1"],
    ...["-t", String(LIMITS.VIDEO_DURATION_MAX_S), "-max_muxing_queue_size", "4096"],
    ...["-f", "hls", "-hls_time", "4", "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4"],
    // Writes two files per rendition instead of about 900 per hour of video. Serving these files requires Range
    // support.
    ...["-hls_flags", "independent_segments+single_file", "-hls_segment_filename", `${folder}/%v.mp4`],
    ...["-var_stream_map", streamMap(plan, probe.audio !== null), `${folder}/%v.m3u8`],
  ];
}

function filters(probe: Probe, plan: ConversionPlan, rungs: Rung[]): string {
  const { width, height } = rungs[0]!;
  const rate = plan.fps === null ? [] : [`fps=${plan.fps}`];
  const fewer = plan.fps !== null && probe.video.averageFps > plan.fps;
  const chain = [
    ...(plan.deinterlace ? ["bwdif=mode=send_frame"] : []),
    ...(fewer ? rate : []),
    `scale=${width}:${height}:flags=bicubic`,
    ...toneMap(plan),
    "format=yuv420p",
    "setsar=1",
    // Duplicate frames only after scaling. Otherwise, if two frames are hours apart, a million duplicates would be
    // scaled.
    ...(fewer ? [] : rate),
  ].join(",");
  const source = `[0:${probe.video.index}]`;
  if (rungs.length === 1) return `${source}${chain}[v0]`;
  const smaller = rungs
    .slice(1)
    .map((rung, index) => `[s${index + 1}]scale=${rung.width}:${rung.height}[v${index + 1}]`);
  const parts = rungs.map((_rung, index) => (index === 0 ? "[v0]" : `[s${index}]`)).join("");
  return [`${source}${chain},split=${rungs.length}${parts}`, ...smaller].join(";");
}

/** Tone-maps high dynamic range to standard dynamic range once, before splitting the stream into rungs. */
function toneMap({ tonemap }: ConversionPlan): string[] {
  if (tonemap === null) return [];
  return [
    `zscale=t=linear:npl=${tonemap === "hlg" ? 203 : 100}`,
    "format=gbrpf32le",
    "zscale=p=bt709",
    "tonemap=tonemap=hable:desat=0",
    "zscale=t=bt709:m=bt709:r=tv",
  ];
}

/** @param stream index of the output stream; @param label index of the filter output */
function encoderArguments(rung: Rung, stream: number, label: number, { copyVideo }: ConversionPlan): string[] {
  const options: [string, string][] = [
    ["c", "libx264"],
    ["preset", "veryfast"],
    ["profile", "high"],
    ["crf", "23"],
    ["maxrate", `${rung.maxrate_kbps}k`],
    ["bufsize", `${rung.maxrate_kbps * 2}k`],
    ["g", "600"],
    ["sc_threshold", "0"],
  ];
  // If another stream is copied, reuse its keyframes so that the segments align.
  const keyframes = copyVideo ? "source" : "expr:gte(t,n_forced*2)";
  return [
    ...["-map", `[v${label}]`],
    ...options.flatMap(([name, value]) => [`-${name}:v:${stream}`, value]),
    ...[`-force_key_frames:v:${stream}`, keyframes],
  ];
}

function audioArguments({ audio }: Probe, { copyAudio }: ConversionPlan): string[] {
  if (audio === null) return [];
  const map = ["-map", `0:${audio.index}`];
  if (copyAudio) return [...map, "-c:a", "copy"];
  return [...map, "-c:a", "aac", "-b:a", "128k", "-ac", "2", "-ar", "48000", "-af", "aresample=async=1:first_pts=0"];
}

function streamMap({ rungs }: ConversionPlan, sound: boolean): string {
  const group = sound ? "agroup:aud," : "";
  const pictures = rungs.map(({ name }, index) => `v:${index},${group}name:${name}`);
  return [...pictures, ...(sound ? [`a:0,agroup:aud,default:yes,name:${AUDIO_NAME}`] : [])].join(" ");
}

/** Extracts the poster, which is the source's frame at `at_s`. */
export function posterArguments(
  input: string,
  output: string,
  probe: Probe,
  plan: ConversionPlan,
  at_s: number,
): string[] {
  const { width, height } = posterSize(plan);
  const filter = [
    `scale=${width}:${height}`,
    ...toneMap(plan),
    ...(plan.tonemap ? ["format=yuv420p"] : []),
    "setsar=1",
  ];
  return [
    ...[...RUN, ...SAFE, "-ss", at_s.toFixed(3), "-i", input, "-map", `0:${probe.video.index}`],
    ...["-frames:v", "1", "-vf", filter.join(","), "-update", "1", "-q:v", "3", output],
  ];
}

const POSTER_WIDTH_MAX = 1920; // a poster is shown at most as wide as the player

const posterSize = ({ rungs }: ConversionPlan) => rungs.find(({ width }) => width <= POSTER_WIDTH_MAX) ?? rungs.at(-1)!;

/** A sheet of thumbnails, one every `step_s` seconds. The player shows them above the timeline. */
export interface Storyboard {
  step_s: number;
  count: number;
  columns: number;
  rows: number;
  width: number;
  height: number;
}

const STORYBOARD_PICTURES_MAX = 100; // one for each percent of the timeline
const STORYBOARD_COLUMNS_MAX = 10; // keeps the sheet below the size that every decoder accepts
const STORYBOARD_WIDTH = 160; // the width at which the player shows a thumbnail

export function planStoryboard(duration_s: number, rung: Rung): Storyboard {
  const step_s = Math.max(2, Math.ceil(duration_s / STORYBOARD_PICTURES_MAX));
  const count = Math.max(1, Math.ceil(duration_s / step_s));
  const columns = Math.min(count, STORYBOARD_COLUMNS_MAX);
  const height = Math.max(2, 2 * Math.round((STORYBOARD_WIDTH * rung.height) / rung.width / 2));
  return { step_s, count, columns, rows: Math.ceil(count / columns), width: STORYBOARD_WIDTH, height };
}

/** @param input the lowest rung's file; only its keyframes are decoded, at 2% of the cost of a full decode */
export function storyboardArguments(input: string, output: string, board: Storyboard): string[] {
  const { step_s, width, height, columns, rows } = board;
  const filter = `fps=1/${step_s}:round=near:start_time=0:eof_action=pass,scale=${width}:${height},tile=${columns}x${rows}`;
  return [
    ...[...RUN, "-skip_frame", "nokey", ...SAFE, "-i", input, "-an", "-vf", filter],
    ...["-frames:v", "1", "-q:v", "5", "-update", "1", output],
  ];
}
