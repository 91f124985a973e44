import { createHash } from "node:crypto";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import { type Page, type PageQuery, pageOf } from "../kernel/page.ts";
import type { Transaction, Transactional } from "../store/db.ts";
import { insertUploadToken } from "../store/upload-tokens.ts";
import { cancelUploads } from "../store/uploads.ts";
import * as store from "../store/videos.ts";
import type { Blobs } from "./blobs.ts";
import { type CreateVideosParts, createVideos, type VideoInput } from "./create-videos.ts";
import { isVideoId, presentVideo, type Video, type VideoRow, type VideoStatus, videoEvent } from "./video.ts";

export interface VideoQuery extends PageQuery {
  status?: VideoStatus | undefined;
  /** Part of a name (case-insensitive) or a complete id. */
  q?: string | undefined;
}

export interface UploadToken {
  object: "upload_token";
  /** Shown only once, and valid only for uploads to this video. */
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

/** A space's videos. Every function that takes a video id throws NOT_FOUND if the video is not in the space. */
export interface Library {
  /** Creates a video and records `video.created`. Videos created at the same time are committed together. */
  create(space: string, video: VideoInput): Promise<Video>;
  /** Like `create`, but in the caller's transaction. */
  createIn(tx: Transaction, space: string, video: VideoInput): Promise<Video>;
  list(space: string, query: VideoQuery): Promise<Page<Video>>;
  get(space: string, id: string): Promise<Video>;
  /** Changes the name, replaces all metadata, or both. Omitted fields keep their values. */
  update(db: Transactional, space: string, id: string, change: VideoInput): Promise<Video>;
  /** Deletes a video with its uploads and files, and records `video.deleted`. Returns the video's final state. */
  remove(db: Transactional, space: string, id: string): Promise<Video>;
  createUploadToken(db: Transactional, space: string, id: string): Promise<UploadToken>;
  totals(space: string): Promise<VideoTotals>;
}

export interface LibraryParts extends CreateVideosParts {
  blobs: Blobs;
}

export function createLibrary(parts: LibraryParts): Library {
  return {
    ...createVideos(parts),
    list: (space, query) => list(parts, space, query),
    async get(space, id) {
      return presentVideo(found(await store.getVideo(parts.db, space, id)), parts.publicUrl);
    },
    update: (db, space, id, change) => update(parts, db, space, id, change),
    remove: (db, space, id) => remove(parts, db, space, id),
    createUploadToken: (db, space, id) => createUploadToken(parts, db, space, id),
    totals: (space) => totals(parts, space),
  };
}

function list({ db, publicUrl }: LibraryParts, space: string, query: VideoQuery): Promise<Page<Video>> {
  const filter = { status: query.status ?? null, search: query.q?.trim() || null };
  const present = (row: VideoRow) => presentVideo(row, publicUrl);
  // A deleted video's row is kept, so its id still works as a cursor. An unknown id returns an empty page.
  return pageOf(query, (id) => (isVideoId(id) ? id : null), present, {
    after: (cursor, limit) => store.listVideosAfter(db, space, filter, cursor, limit),
    before: (cursor, limit) => store.listVideosBefore(db, space, filter, cursor, limit),
  });
}

async function update(
  { signals, publicUrl }: LibraryParts,
  db: Transactional,
  space: string,
  id: string,
  change: VideoInput,
): Promise<Video> {
  return db.transaction(async (tx) => {
    const row = found(await store.lockVideo(tx, space, id));
    const { name = row.name, metadata = row.metadata } = change;
    tx.afterCommit(() => signals.emit("video", { space, video: id }));
    return presentVideo(await store.updateVideo(tx, row, { name, metadata }), publicUrl);
  });
}

async function remove(
  { recorder, blobs, signals, publicUrl }: LibraryParts,
  db: Transactional,
  space: string,
  id: string,
): Promise<Video> {
  return db.transaction(async (tx) => {
    const row = found(await store.deleteVideo(tx, space, id));
    await cancelUploads(tx, space, id);
    await recorder.record(tx, videoEvent("video.deleted", row, publicUrl));
    tx.afterCommit(() => {
      signals.emit("video", { space, video: id });
      // Delete files before responding, so that nothing is playable afterward. If this fails, the janitor deletes them
      // later.
      return blobs.deletePrefix(`${id}/`).catch(() => undefined);
    });
    return presentVideo(row, publicUrl);
  });
}

async function createUploadToken(
  { random, publicUrl }: LibraryParts,
  db: Transactional,
  space: string,
  id: string,
): Promise<UploadToken> {
  const token = `${UPLOAD_TOKEN_PREFIX}${random.bytes(24).toString("base64url")}`;
  return db.transaction(async (tx) => {
    found(await store.lockVideo(tx, space, id));
    const hash = hashUploadToken(token);
    const expires = await insertUploadToken(tx, { space, video: id, hash, valid_ms: LIMITS.UPLOAD_TOKEN_MS });
    return {
      object: "upload_token",
      token,
      video: id,
      expires: Math.floor(expires.getTime() / 1000),
      upload_url: `${publicUrl}/v1/uploads`,
    };
  });
}

export const UPLOAD_TOKEN_PREFIX = "mave_upload_";

/** Hashes an upload token. A fast hash is enough, because a token has 192 random bits. */
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
  throw new MaveError("NOT_FOUND"); // the same error as for a video in another space
}
