/** Reads ffmpeg's HLS media playlists (RFC 8216) and writes the master playlist. Pure. */
export interface MediaPlaylist {
  /** Whether the playlist has an end tag, which is missing after an interrupted run. */
  ended: boolean;
  segments: { duration_s: number; bytes: number }[];
  /** Location of the initialization section. */
  head: { bytes: number; offset: number } | null;
}

export function readPlaylist(text: string): MediaPlaylist {
  const playlist: MediaPlaylist = { ended: false, segments: [], head: null };
  let duration_s = 0;
  for (const line of text.split("\n")) {
    const [tag, value = ""] = split(line.trim());
    if (tag === "#EXTINF") duration_s = Number.parseFloat(value);
    else if (tag === "#EXT-X-BYTERANGE") playlist.segments.push({ duration_s, bytes: Number.parseInt(value, 10) });
    else if (tag === "#EXT-X-MAP") playlist.head = readRange(value);
    else if (tag === "#EXT-X-ENDLIST") playlist.ended = true;
  }
  return playlist;
}

function split(line: string): [string, string?] {
  const colon = line.indexOf(":");
  return colon < 0 ? [line] : [line.slice(0, colon), line.slice(colon + 1)];
}

function readRange(value: string): MediaPlaylist["head"] {
  const range = /BYTERANGE="(\d+)@(\d+)"/.exec(value);
  return range ? { bytes: Number(range[1]), offset: Number(range[2]) } : null;
}

export const playlistDuration = ({ segments }: MediaPlaylist): number =>
  segments.reduce((sum, { duration_s }) => sum + duration_s, 0);

export interface Bitrate {
  /** Bits per second in the segment with the highest bitrate. */
  peak: number;
  average: number;
}

export function bitrate({ segments }: MediaPlaylist): Bitrate {
  const duration_s = segments.reduce((sum, segment) => sum + segment.duration_s, 0);
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  // Ignore very short segments, because a final segment of a few milliseconds has no representative bitrate.
  const whole = segments.filter((segment) => segment.duration_s >= Math.min(1, duration_s));
  const peak = Math.max(0, ...whole.map((segment) => (segment.bytes * 8) / segment.duration_s));
  const average = duration_s > 0 ? (bytes * 8) / duration_s : 0;
  return { peak: Math.ceil(Math.max(peak, average)), average: Math.ceil(average) };
}

export interface Variant {
  name: string;
  width: number;
  height: number;
  fps: number;
  codec: string;
  bitrate: Bitrate;
}

/**
 * Writes the master playlist. ffmpeg's own master playlist lacks CODECS and guesses BANDWIDTH for copied streams.
 * @param audio the audio stream that all renditions share, or null if there is none
 */
export function masterPlaylist(
  variants: Variant[],
  audio: { name: string; codec: string; bitrate: Bitrate } | null,
): string {
  const lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"];
  if (audio)
    lines.push(
      `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="Sound",DEFAULT=YES,AUTOSELECT=YES,URI="${audio.name}.m3u8"`,
    );
  for (const { name, width, height, fps, codec, bitrate } of variants) {
    const attributes = [
      `BANDWIDTH=${bitrate.peak + (audio?.bitrate.peak ?? 0)}`,
      `AVERAGE-BANDWIDTH=${bitrate.average + (audio?.bitrate.average ?? 0)}`,
      `CODECS="${audio ? `${codec},${audio.codec}` : codec}"`,
      `RESOLUTION=${width}x${height}`,
      ...(fps > 0 ? [`FRAME-RATE=${fps.toFixed(3)}`] : []),
      ...(audio ? ['AUDIO="sound"'] : []),
    ];
    lines.push(`#EXT-X-STREAM-INF:${attributes.join(",")}`, `${name}.m3u8`);
  }
  return `${lines.join("\n")}\n`;
}

/**
 * Returns the codec string of an H.264 stream, which consists of the profile, constraints and level from the decoder
 * configuration in the file's initialization section. Returns null if there is no decoder configuration. ISO/IEC
 * 14496-15 §5.3.3, RFC 6381 §3.3.
 */
export function avcCodec(head: Buffer): string | null {
  const at = head.indexOf("avcC");
  if (at < 0 || head.length < at + 8) return null;
  return `avc1.${head.subarray(at + 5, at + 8).toString("hex")}`;
}

/** Builds a storyboard's WebVTT file, with one cue per thumbnail. */
export function storyboardCues(
  image: string,
  board: { step_s: number; count: number; columns: number; width: number; height: number },
  duration_s: number,
): string {
  const cues = Array.from({ length: board.count }, (_nothing, index) => {
    const x = (index % board.columns) * board.width;
    const y = Math.floor(index / board.columns) * board.height;
    const end_s = Math.min(duration_s, (index + 1) * board.step_s);
    const place = `${image}#xywh=${x},${y},${board.width},${board.height}`;
    return `${cueTime(index * board.step_s)} --> ${cueTime(end_s)}\n${place}\n`;
  });
  return `WEBVTT\n\n${cues.join("\n")}`;
}

function cueTime(seconds: number): string {
  const ms = Math.round(seconds * 1000);
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  const clock = `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1000) % 60)}`;
  return `${clock}.${String(ms % 1000).padStart(3, "0")}`;
}
