import { mediaUrl, type VideoRow, type VideoStatus } from "./video.ts";

/** The public view of a video, available to anyone who knows its URL. Pure. */
export interface Embed {
  id: string;
  status: VideoStatus | "deleted";
  name: string | null;
  progress: number | null;
  /** The error message shown to viewers. */
  error: string | null;
  duration_s: number | null;
  width: number;
  height: number;
  uploaded: Date | null;
  url: string;
  /** URLs relative to this server, so that they work under any of its host names. */
  playback: string | null;
  poster: string | null;
  storyboard: string | null;
}

const DEFAULT_WIDTH = 1280;
const DEFAULT_HEIGHT = 720;

/** Server-side errors are not shown to viewers. */
const PRIVATE_ERRORS = new Set(["ffmpeg_missing", "processing_failed"]);

export function embedOf(row: VideoRow, publicUrl: string): Embed {
  const known = row.width !== null && row.height !== null;
  const url = `${publicUrl}/${row.id}`;
  const size = known ? { width: row.width!, height: row.height! } : { width: DEFAULT_WIDTH, height: DEFAULT_HEIGHT };
  if (row.deleted_at !== null) return { ...NOTHING, ...size, id: row.id, status: "deleted", url };
  return {
    ...{ id: row.id, name: row.name, status: row.status, progress: row.progress, duration_s: row.duration_s },
    error: row.error_code === null || PRIVATE_ERRORS.has(row.error_code) ? null : row.error_message,
    ...{ ...size, url, uploaded: row.last_upload_at },
    playback: mediaUrl(row, row.playback, ""),
    poster: mediaUrl(row, row.poster, ""),
    storyboard: mediaUrl(row, row.storyboard, ""),
  };
}

const NOTHING = {
  ...{ name: null, progress: null, error: null, duration_s: null, uploaded: null },
  ...{ playback: null, poster: null, storyboard: null },
};

/** Returns the HTML that embeds a video in a page. */
export function iframe(embed: Embed, width: number, height: number): string {
  const attributes = [
    `src="${escapeHtml(embed.url)}"`,
    `width="${width}"`,
    `height="${height}"`,
    `title="${escapeHtml(embed.name ?? "Video")}"`,
    'allow="autoplay; fullscreen; picture-in-picture; encrypted-media"',
    "allowfullscreen",
    'loading="lazy"',
    `style="aspect-ratio:${embed.width}/${embed.height};width:100%;height:auto;border:0"`,
  ];
  return `<iframe ${attributes.join(" ")}></iframe>`;
}

/**
 * Returns the oEmbed response for a video. https://oembed.com §2.3.4
 * @param max maximum size in pixels; `Infinity` for no limit
 */
export function oembed(embed: Embed, publicUrl: string, max: { width: number; height: number }) {
  const scale = Math.min(1, max.width / embed.width, max.height / embed.height);
  const width = Math.max(1, Math.floor(embed.width * scale));
  const height = Math.max(1, Math.floor(embed.height * scale));
  return {
    version: "1.0",
    type: "video",
    provider_name: "Mave",
    provider_url: publicUrl,
    ...(embed.name === null ? {} : { title: embed.name }),
    ...{ width, height },
    html: iframe(embed, width, height),
    ...(embed.poster === null
      ? {}
      : { thumbnail_url: `${publicUrl}${embed.poster}`, thumbnail_width: embed.width, thumbnail_height: embed.height }),
    ...(embed.duration_s === null ? {} : { duration: embed.duration_s }),
  };
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
