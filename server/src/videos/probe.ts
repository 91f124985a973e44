import { LIMITS } from "../kernel/limits.ts";

/** A file's properties, read from ffprobe's output. Pure. */
export interface Probe {
  /** Comma-separated container names, as reported by ffprobe. */
  container: string;
  /** In seconds; null if the container does not specify a duration. */
  duration_s: number | null;
  video: VideoTrack;
  audio: AudioTrack | null;
}

export interface VideoTrack {
  index: number;
  codec: string;
  pixelFormat: string;
  level: number;
  /** The display size, after rotation and with square pixels. */
  width: number;
  height: number;
  squarePixels: boolean;
  rotation: number;
  interlaced: boolean;
  hdr: "pq" | "hlg" | null;
  /** The frame rate implied by the shortest frame interval; 0 if unknown. */
  fps: number;
  averageFps: number;
  bitrate: number | null;
  duration_s: number | null;
}

export interface AudioTrack {
  index: number;
  codec: string;
  profile: string;
  channels: number;
}

/** Why a file was rejected. */
export interface Refusal {
  code: MediaError;
  message: string;
}

export type MediaError = keyof typeof MEDIA_ERRORS;

export const MEDIA_ERRORS = {
  unreadable: "The file cannot be read as a video. It may be damaged or in an unsupported format.",
  no_video: "The file contains no video, only audio or a still image.",
  too_long: `The video is longer than the maximum of ${LIMITS.VIDEO_DURATION_MAX_S / 3600} hours.`,
  too_large: `The picture is too large. The maximum is ${LIMITS.VIDEO_SIDE_MAX} pixels per side and 35 million pixels in total.`,
  too_many_streams: `The file contains more than the maximum of ${LIMITS.VIDEO_STREAMS_MAX} streams.`,
  too_complex: "The file takes too long to convert. Export it with common settings (MP4, H.264) and upload it again.",
  truncated: "The file is incomplete. Check that it was fully copied or exported, then upload it again.",
  ffmpeg_missing:
    "This file needs conversion, but the server has no ffmpeg. Install it with `apt-get install -y ffmpeg` and restart " +
    "the server. The file is kept and will be processed then.",
  processing_failed:
    "The server failed to process this file after several attempts. See the server log for the reason.",
} as const;

export const refusal = (code: MediaError): Refusal => ({ code, message: MEDIA_ERRORS[code] });

interface RawStream {
  index?: number;
  codec_type?: string;
  codec_name?: string;
  profile?: string;
  width?: number;
  height?: number;
  pix_fmt?: string;
  level?: number;
  field_order?: string;
  color_transfer?: string;
  sample_aspect_ratio?: string;
  r_frame_rate?: string;
  avg_frame_rate?: string;
  bit_rate?: string;
  duration?: string;
  channels?: number;
  disposition?: { attached_pic?: number };
  side_data_list?: { rotation?: number }[];
  tags?: Record<string, string>;
}

interface RawProbe {
  streams: RawStream[];
  format: { format_name?: string; duration?: string };
}

/** @param output the output of `ffprobe -show_format -show_streams -of json` */
export function readProbe(output: string): Probe | Refusal {
  const { streams, format } = parse(output);
  if (streams.length > LIMITS.VIDEO_STREAMS_MAX) return refusal("too_many_streams");
  const picture = streams.find(isPicture);
  if (!picture) return refusal(streams.some(({ codec_type }) => codec_type) ? "no_video" : "unreadable");
  const video = readVideo(picture);
  if (Math.max(video.width, video.height) > LIMITS.VIDEO_SIDE_MAX) return refusal("too_large");
  const duration_s = number(format.duration) ?? video.duration_s;
  if (duration_s !== null && duration_s > LIMITS.VIDEO_DURATION_MAX_S) return refusal("too_long");
  const sound = streams.find(isSound);
  return { container: format.format_name ?? "", duration_s, video, audio: sound ? readAudio(sound) : null };
}

export const isRefusal = (value: Probe | Refusal): value is Refusal => "message" in value;

function parse(output: string): RawProbe {
  let value: unknown;
  try {
    value = JSON.parse(output);
  } catch {
    value = null; // truncated output counts as an empty probe
  }
  const { streams, format } = (isObject(value) ? value : {}) as Partial<RawProbe>;
  return {
    streams: Array.isArray(streams) ? streams.filter(isObject) : [],
    format: isObject(format) ? format : {},
  };
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

// Cover art in audio files is a still image, not a video.
const isPicture = (stream: RawStream) =>
  stream.codec_type === "video" &&
  stream.codec_name !== undefined &&
  (stream.width ?? 0) > 0 &&
  (stream.height ?? 0) > 0 &&
  stream.disposition?.attached_pic !== 1;

const isSound = (stream: RawStream) =>
  stream.codec_type === "audio" && stream.codec_name !== undefined && (stream.channels ?? 0) > 0;

function readVideo(stream: RawStream): VideoTrack {
  const rotation = (((stream.side_data_list?.find((data) => data.rotation)?.rotation ?? 0) % 360) + 360) % 360;
  const pixel = ratio(stream.sample_aspect_ratio?.replace(":", "/")) || 1;
  const width = Math.max(1, Math.round(stream.width! * pixel));
  const height = stream.height!;
  const sideways = rotation === 90 || rotation === 270;
  return {
    index: stream.index ?? 0,
    codec: stream.codec_name!,
    pixelFormat: stream.pix_fmt ?? "",
    level: stream.level ?? 0,
    width: sideways ? height : width,
    height: sideways ? width : height,
    squarePixels: pixel === 1,
    rotation,
    interlaced: ["tt", "bb", "tb", "bt"].includes(stream.field_order ?? ""),
    hdr: stream.color_transfer === "smpte2084" ? "pq" : stream.color_transfer === "arib-std-b67" ? "hlg" : null,
    fps: ratio(stream.r_frame_rate),
    averageFps: ratio(stream.avg_frame_rate),
    bitrate: number(stream.bit_rate),
    duration_s: number(stream.duration) ?? clockTime(stream.tags?.DURATION),
  };
}

const readAudio = (stream: RawStream): AudioTrack => ({
  index: stream.index ?? 0,
  codec: stream.codec_name!,
  profile: stream.profile ?? "",
  channels: stream.channels!,
});

/** Parses a positive number, or returns null for any other text. */
function number(text: string | undefined): number | null {
  const value = Number(text);
  return Number.isFinite(value) && value > 0 ? value : null;
}

function ratio(text: string | undefined): number {
  const [above, below] = (text ?? "").split("/").map(Number);
  const value = (above ?? 0) / (below ?? 1);
  return Number.isFinite(value) && value > 0 ? value : 0;
}

/** Parses a Matroska duration, such as `00:01:30.500000000`, into seconds. */
function clockTime(text: string | undefined): number | null {
  const parts = /^(\d+):(\d+):(\d+(?:\.\d+)?)$/.exec(text ?? "");
  return parts ? number(String(Number(parts[1]) * 3600 + Number(parts[2]) * 60 + Number(parts[3]))) : null;
}
