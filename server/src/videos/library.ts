import { createHash } from "node:crypto";
import type { Recorder } from "../events/record.ts";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import { type Page, type PageQuery, pageOf } from "../kernel/page.ts";
import type { Random } from "../kernel/random.ts";
import type { Signals } from "../kernel/signals.ts";
import type { Tracing } from "../kernel/trace.ts";
import type { Alongside, Database } from "../store/db.ts";
import { insertUploadToken } from "../store/upload-tokens.ts";
import { cancelUploads } from "../store/uploads.ts";
import * as store from "../store/videos.ts";
import type { Blobs } from "./blobs.ts";
import { createVideos } from "./create-videos.ts";
import { isVideoId, presentVideo, type Video, type VideoRow, type VideoStatus, videoEvent } from "./video.ts";

export interface VideoQuery extends PageQuery {
  status?: VideoStatus | undefined;
  /** Part of a name, case-insensitive, or a whole id. */
  q?: string | undefined;
}

export interface UploadToken {
  object: "upload_token";
  /** Shown once; valid for uploads to this video only. */
  token: string;
  video: string;
  expires: number;
  upload_url: string;
}

export interface VideoTotals {
  total: number;
  bytes: number;
  by_status: Record<VideoStatus, number>;
}

/** A space's videos. Every function with an id throws NOT_FOUND if the space has no such video. */
export interface Library {
  /** Records `video.created`. */
  create(
    space: string,
    video: { name?: string | null | undefined; metadata?: Record<string, string> | undefined },
    alongside?: Alongside<Video>,
  ): Promise<Video>;
  list(space: string, query: VideoQuery): Promise<Page<Video>>;
  get(space: string, id: string): Promise<Video>;
  /** Renames, or replaces the metadata as a whole; what is left out stays. */
  update(
    space: string,
    id: string,
    change: { name?: string | null | undefined; metadata?: Record<string, string> | undefined },
    alongside?: Alongside<Video>,
  ): Promise<Video>;
  /** Records `video.deleted`, cancels its uploads and removes its files. Returns the video as it was. */
  remove(space: string, id: string, alongside?: Alongside<Video>): Promise<Video>;
  createUploadToken(space: string, id: string, alongside?: Alongside<UploadToken>): Promise<UploadToken>;
  totals(space: string): Promise<VideoTotals>;
}

export interface LibraryParts {
  db: Database;
  recorder: Recorder;
  blobs: Blobs;
  random: Random;
  signals: Signals;
  publicUrl: string;
  tracing?: Tracing | undefined;
}

export function createLibrary(parts: LibraryParts): Library {
  return {
    create: createVideos(parts),
    list: (space, query) => list(parts, space, query),
    async get(space, id) {
      return presentVideo(found(await store.getVideo(parts.db, space, id)), parts.publicUrl);
    },
    update: (space, id, change, alongside) => update(parts, space, id, change, alongside),
    remove: (space, id, alongside) => remove(parts, space, id, alongside),
    createUploadToken: (space, id, alongside) => createUploadToken(parts, space, id, alongside),
    totals: (space) => totals(parts, space),
  };
}

function list({ db, publicUrl }: LibraryParts, space: string, query: VideoQuery): Promise<Page<Video>> {
  const filter = { status: query.status ?? null, search: query.q?.trim() || null };
  const present = (row: VideoRow) => presentVideo(row, publicUrl);
  // The row of a deleted video stays, so its id still works as a cursor. An unknown id returns an empty page.
  return pageOf(query, (id) => (isVideoId(id) ? id : null), present, {
    after: (cursor, limit) => store.listVideosAfter(db, space, filter, cursor, limit),
    before: (cursor, limit) => store.listVideosBefore(db, space, filter, cursor, limit),
  });
}

async function update(
  { db, signals, publicUrl }: LibraryParts,
  space: string,
  id: string,
  change: Parameters<Library["update"]>[2],
  alongside?: Alongside<Video>,
): Promise<Video> {
  const video = await db.transaction(async (tx) => {
    const row = found(await store.lockVideo(tx, space, id));
    const { name = row.name, metadata = row.metadata } = change;
    const changed = presentVideo(await store.updateVideo(tx, row, { name, metadata }), publicUrl);
    await alongside?.(tx, changed);
    return changed;
  });
  signals.emit("video", { space, video: id });
  return video;
}

async function remove(
  { recorder, blobs, signals, publicUrl }: LibraryParts,
  space: string,
  id: string,
  alongside?: Alongside<Video>,
): Promise<Video> {
  const video = await recorder.transaction(async (tx) => {
    const row = found(await store.deleteVideo(tx, space, id));
    await cancelUploads(tx, space, id);
    const gone = presentVideo(row, publicUrl);
    await tx.record(videoEvent("video.deleted", row, publicUrl));
    await alongside?.(tx, gone);
    return gone;
  });
  signals.emit("video", { space, video: id });
  // At once, so that nothing plays after the response; what fails here is left to the clean-up, which reads the row.
  await blobs.deletePrefix(`${id}/`).catch(() => undefined);
  return video;
}

async function createUploadToken(
  { db, random, publicUrl }: LibraryParts,
  space: string,
  id: string,
  alongside?: Alongside<UploadToken>,
): Promise<UploadToken> {
  const token = `${UPLOAD_TOKEN_PREFIX}${random.bytes(24).toString("base64url")}`;
  return db.transaction(async (tx) => {
    found(await store.lockVideo(tx, space, id));
    const hash = hashUploadToken(token);
    const expires = await insertUploadToken(tx, { space, video: id, hash, valid_ms: LIMITS.UPLOAD_TOKEN_MS });
    const made: UploadToken = {
      object: "upload_token",
      token,
      video: id,
      expires: Math.floor(expires.getTime() / 1000),
      upload_url: `${publicUrl}/v1/uploads`,
    };
    await alongside?.(tx, made);
    return made;
  });
}

export const UPLOAD_TOKEN_PREFIX = "mave_upload_";

/** A fast hash is enough for 192 random bits. */
export const hashUploadToken = (token: string): Buffer => createHash("sha256").update(token).digest();

async function totals({ db }: LibraryParts, space: string): Promise<VideoTotals> {
  const by_status = { waiting: 0, uploading: 0, processing: 0, ready: 0, failed: 0 };
  const counts = await store.countVideos(db, space);
  for (const { status, videos } of counts) by_status[status] = videos;
  const sum = (values: number[]) => values.reduce((all, value) => all + value, 0);
  return { total: sum(Object.values(by_status)), bytes: sum(counts.map(({ bytes }) => bytes)), by_status };
}

function found(row: VideoRow | undefined): VideoRow {
  if (row) return row;
  throw new MaveError("NOT_FOUND"); // the same message for another space's video
}
