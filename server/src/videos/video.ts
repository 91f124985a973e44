import type { NewEvent } from "../events/freeze.ts";
import type { EventType } from "../kernel/event-catalog.ts";
import type { Rendition, VideoRow, VideoStatus } from "../store/videos.ts";

/**
 * A video's states and its API representation. Pure.
 *
 *     waiting ──upload starts──▶ uploading ──upload complete──▶ processing ──published──▶ ready
 *        ▲                          │                               │
 *        └─────upload canceled──────┘                               └──not playable──▶ failed
 *
 * A video with a playable version stays `ready` during and after every later upload, whether or not the upload
 * succeeds.
 */
export type { Rendition, VideoRow, VideoStatus };

/** A state change of a video's newest upload. */
export type UploadChange = "begun" | "left" | "received" | "published" | "failed";

const STATUS_AFTER: Record<UploadChange, VideoStatus> = {
  begun: "uploading",
  left: "waiting",
  received: "processing",
  published: "ready",
  failed: "failed",
};

/**
 * Returns the video's status after a change to its newest upload.
 * @param isPlayable whether an older version is playable
 */
export function statusAfter(change: UploadChange, isPlayable: boolean): VideoStatus {
  return isPlayable ? "ready" : STATUS_AFTER[change];
}

/** The API's video object, which is also the `data` of the video's events. Times are in Unix seconds. */
export interface Video {
  id: string;
  object: "video";
  created: number;
  embed_url: string;
  last_upload: number | null;
  name: string | null;
  status: VideoStatus;
  progress: number | null;
  error: { code: string; message: string } | null;
  duration: number | null;
  width: number | null;
  height: number | null;
  size: number | null;
  poster_url: string | null;
  playback_url: string | null;
  renditions: Rendition[];
  metadata: Record<string, string>;
}

/** @param publicUrl this server's public URL, without a trailing slash */
export function presentVideo(row: VideoRow, publicUrl: string): Video {
  return {
    id: row.id,
    object: "video",
    created: seconds(row.created_at),
    embed_url: `${publicUrl}/${row.id}`,
    last_upload: row.last_upload_at && seconds(row.last_upload_at),
    name: row.name,
    status: row.status,
    progress: row.progress,
    error: row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? "" },
    duration: row.duration_s,
    width: row.width,
    height: row.height,
    size: row.size_bytes,
    poster_url: mediaUrl(row, row.poster, publicUrl),
    playback_url: mediaUrl(row, row.playback, publicUrl),
    renditions: row.renditions,
    metadata: row.metadata,
  };
}

/** Builds the event for a change to a video. @param row the video's row after the change, with the new sequence */
export function videoEvent(type: EventType, row: VideoRow, publicUrl: string): NewEvent {
  const data = presentVideo(row, publicUrl);
  return { space: row.space_id, type, video: row.id, sequence: row.last_sequence, since_s: data.created, data };
}

/** Returns the URL of a file in the playable version, or null if there is no such file. */
export function mediaUrl(row: VideoRow, file: string | null, publicUrl: string): string | null {
  return file && row.playing_folder ? `${publicUrl}/media/${row.id}/${row.playing_folder}/${file}` : null;
}

/** Returns the name of the subfolder of the video's folder that holds an attempt's media. */
export const mediaFolder = (version: number, attempt: number): string =>
  attempt === 1 ? `${version}` : `${version}-${attempt}`;

const seconds = (time: Date): number => Math.floor(time.getTime() / 1000);

const VIDEO_ID_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const VIDEO_ID_CHARACTERS = 10;

/** Generates a video id with 59 random bits. @param integer returns a random integer n with 0 <= n < below */
export function newVideoId(integer: (below: number) => number): string {
  let id = "";
  while (id.length < VIDEO_ID_CHARACTERS) id += VIDEO_ID_ALPHABET[integer(VIDEO_ID_ALPHABET.length)];
  return id;
}

export const isVideoId = (text: string): boolean => /^[0-9A-Za-z]{10}$/.test(text);
