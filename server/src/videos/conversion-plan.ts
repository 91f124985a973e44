import type { Probe, VideoTrack } from "./probe.ts";

/** How to convert a file. */
export interface ConversionPlan {
  /** Whether the top rendition is an unchanged copy of the uploaded video stream. */
  copyVideo: boolean;
  copyAudio: boolean;
  /** Ordered from the highest to the lowest resolution. */
  rungs: Rung[];
  /** The constant frame rate to convert to; null to keep the source's frame rate. */
  fps: number | null;
  deinterlace: boolean;
  tonemap: "pq" | "hlg" | null;
}

export interface Rung {
  /** Named after its short side, such as `1080p`. */
  name: string;
  width: number;
  height: number;
  maxrate_kbps: number;
}

const SHORT_SIDE_MAX = 1080; // larger renditions take several times as long, and few screens show the difference
const COPY_FPS_MAX = 61; // 60 frames per second, plus rounding
const COPY_LEVEL_MAX = 51; // H.264 level 5.1, which current phones decode
const COPY_BITRATE_MAX = 8_000_000; // a home connection plays this without pausing
const KEYFRAME_GAP_MAX_S = 10; // segments start at keyframes, and long segments delay the start of playback
const FPS_MIN = 5; // at a lower rate, a frame could last as long as a segment
const FPS_MAX = 60; // what screens show
const FPS_STEPS = [24, 25, 30, 50, 60];

/**
 * @param keyframeGap_s the longest time between keyframes; null if unknown, which rules out a copy
 * @param mayCopy false if a copy was already tried and turned out bad
 */
export function planConversion(probe: Probe, keyframeGap_s: number | null, mayCopy = true): ConversionPlan {
  const { video, audio, container } = probe;
  const copyVideo = mayCopy && couldCopy(probe) && keyframeGap_s !== null && keyframeGap_s <= KEYFRAME_GAP_MAX_S;
  const copyAudio = audio?.codec === "aac" && audio.profile === "LC" && audio.channels <= 2 && isMp4(container);
  return {
    copyVideo,
    copyAudio,
    rungs: ladder(video, copyVideo),
    fps: copyVideo ? null : constantRate(video),
    deinterlace: video.interlaced,
    tonemap: video.hdr,
  };
}

/** Returns whether the video stream may be suitable for copying. If not, there is no need to scan its keyframes. */
export function couldCopy({ video, container, duration_s }: Probe): boolean {
  return (
    isMp4(container) &&
    duration_s !== null &&
    video.codec === "h264" &&
    (video.pixelFormat === "yuv420p" || video.pixelFormat === "yuvj420p") &&
    !video.interlaced &&
    video.rotation === 0 &&
    video.squarePixels &&
    isEven(video.width) &&
    isEven(video.height) &&
    Math.min(video.width, video.height) <= SHORT_SIDE_MAX &&
    video.fps <= COPY_FPS_MAX &&
    video.level <= COPY_LEVEL_MAX &&
    video.bitrate !== null &&
    video.bitrate <= COPY_BITRATE_MAX &&
    video.hdr === null &&
    hasConstantRate(video)
  );
}

const isEven = (side: number) => side % 2 === 0;
const isMp4 = (container: string) => container.split(",").includes("mp4");

/**
 * Streams with a variable frame rate (from phones or screen recorders) are not copied, because ffmpeg 5 writes wrong
 * segment durations for them.
 */
const hasConstantRate = ({ fps, averageFps }: VideoTrack) => fps > 0 && Math.abs(fps - averageFps) / fps < 0.01;

function constantRate(video: VideoTrack): number | null {
  if (video.fps > 0 && video.fps < FPS_MIN) return FPS_MIN;
  if (hasConstantRate(video) && video.fps <= FPS_MAX) return null;
  if (video.fps > 0 && video.fps <= FPS_MAX) return video.fps;
  return FPS_STEPS.find((step) => step >= video.averageFps * 0.999) ?? FPS_MAX;
}

/**
 * Lists renditions, starting at the source's size or 1080p, whichever is smaller. Skips sizes that barely differ from
 * the first.
 */
function ladder({ width, height, fps, averageFps }: VideoTrack, copied: boolean): Rung[] {
  const source = Math.min(width, height);
  const top = Math.min(source, SHORT_SIDE_MAX);
  const below = (copied ? [360] : [720, 360]).filter((side) => side * 1.25 <= top);
  const fast = (averageFps || fps) > 40 ? 1.5 : 1;
  return [top, ...below].map((side) => {
    const scale = side / source;
    const size = { width: even(width * scale), height: even(height * scale) };
    return { name: `${Math.min(size.width, size.height)}p`, ...size, maxrate_kbps: Math.round(rate(side) * fast) };
  });
}

const SMALLEST_SIDE = 16; // the encoder's macroblock size

/** Rounds down to an even size, which H.264 with 4:2:0 chroma requires. */
const even = (side: number) => Math.max(SMALLEST_SIDE, 2 * Math.floor((side + 1e-6) / 2));

function rate(side: number): number {
  if (side > 720) return 5000;
  if (side > 480) return 2800;
  return side > 360 ? 1400 : 800;
}
