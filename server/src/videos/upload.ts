import { rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../kernel/clock.ts";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Random } from "../kernel/random.ts";
import type { Signals } from "../kernel/signals.ts";
import type { Database, Sql } from "../store/db.ts";
import * as store from "../store/uploads.ts";
import { lockVideo, setVideoStatus } from "../store/videos.ts";
import { sync } from "./blobs.ts";
import type { Folders } from "./folders.ts";
import { isVideoId, statusAfter, type VideoRow } from "./video.ts";

/**
 * The lifecycle of an upload by PUT or tus. An upload begins, and is then either finished or canceled.
 *
 * After the last byte, a crash or a lost connection can prevent the call to `finish`, and a client can also trigger the
 * call twice. Therefore, `finish` is idempotent, and `reconcile` calls it for uploads that were fully received but
 * never finished.
 */
export interface Uploads {
  /** Starts an upload for a new version of a video, and cancels any unfinished upload to the same video. */
  begin(space: string, video: string, file: AnnouncedFile): Promise<{ id: string; path: string }>;
  /** Stores the complete file durably and queues it for processing. Idempotent. */
  finish(id: string): Promise<void>;
  /** Cancels the upload and deletes its partial file. */
  leave(id: string): Promise<void>;
  /** Returns the upload's row, or undefined if there is none. */
  get(id: string): Promise<store.UploadRow | undefined>;
  /** Finishes fully received uploads and cancels abandoned ones. The janitor calls it at startup and periodically. */
  reconcile(): Promise<void>;
  /** Ids of PUT uploads in progress in this process. PUT uploads cannot be resumed. Each request removes its own id. */
  readonly active: Set<string>;
  readonly folders: Folders;
  readonly maxBytes: number;
}

export interface AnnouncedFile {
  resumable: boolean;
  /** The file name that the uploader sent, for display only. */
  name: string | null;
  /** Null if the size is not known yet. */
  size_bytes: number | null;
}

export interface UploadParts {
  db: Database;
  folders: Folders;
  clock: Clock;
  random: Random;
  signals: Signals;
  /** Maximum file size. */
  maxBytes: number;
}

export function createUploads(parts: UploadParts): Uploads {
  const active = new Set<string>();
  return {
    begin: (space, video, file) => begin(parts, active, space, video, file),
    finish: (id) => finish(parts, id),
    leave: (id) => leave(parts, id),
    get: async (id) => (UPLOAD_ID.test(id) ? store.getUpload(parts.db, id) : undefined),
    reconcile: () => reconcile(parts, active),
    active,
    folders: parts.folders,
    maxBytes: parts.maxBytes,
  };
}

const UPLOAD_ID = /^[0-9a-f]{32}$/;

async function begin(
  parts: UploadParts,
  active: Set<string>,
  space: string,
  video: string,
  file: AnnouncedFile,
): Promise<{ id: string; path: string }> {
  if (!isVideoId(video)) throw new MaveError("NOT_FOUND");
  checkSize(file.size_bytes, parts.maxBytes);
  const id = parts.random.bytes(16).toString("hex");
  const path = join(parts.folders.incoming, id);
  if (file.resumable) {
    await announce(parts, space, video, { ...file, id });
    return { id, path };
  }
  // Create the partial file before the row. If a crash interrupts the upload, `reconcile` finds a file without a writer
  // and cancels the upload.
  active.add(id);
  try {
    await createPartialFile(path);
    await announce(parts, space, video, { ...file, id });
  } catch (error) {
    active.delete(id);
    await rm(path, { force: true });
    throw error;
  }
  return { id, path };
}

async function createPartialFile(path: string): Promise<void> {
  await writeFile(path, "", { flag: "wx", mode: 0o600 }).catch((error) => {
    throw storageError(error);
  });
}

async function announce(
  { db, folders, signals }: UploadParts,
  space: string,
  video: string,
  file: AnnouncedFile & { id: string },
): Promise<void> {
  const replaced = await db.transaction(async (tx) => {
    const row = await lockVideo(tx, space, video);
    if (!row) throw new MaveError("NOT_FOUND");
    const left = await store.cancelReceiving(tx, space, video);
    if ((await store.countReceiving(tx, space)) >= LIMITS.UPLOADS_OPEN_PER_SPACE_MAX)
      throw new MaveError("LIMIT_REACHED", "This space has too many unfinished uploads. Finish or cancel some.");
    const version = row.last_version + 1;
    await store.insertUpload(tx, { space, video, version, ...file, file_name: printable(file.name) });
    const status = statusAfter("begun", row.playing_version !== null);
    await setVideoStatus(tx, row, { status, progress: null, error: null, version, events: 0 });
    tx.afterCommit(() => signals.emit("video", { space, video }));
    return left;
  });
  for (const part of replaced) await rm(join(folders.incoming, part), { force: true });
}

/** Throws if a file is empty or too large. */
export function checkSize(size_bytes: number | null, maxBytes: number): void {
  if (size_bytes === 0) throw new MaveError("UPLOAD_EMPTY");
  if (size_bytes === null || size_bytes <= maxBytes) return;
  throw new MaveError("REQUEST_TOO_LARGE", `The file has ${size_bytes} bytes; the maximum is ${maxBytes}.`);
}

const FILE_NAME_CHARACTERS_MAX = 255; // the maximum on common file systems

// PostgreSQL cannot store NUL or lone surrogates.
const printable = (name: string | null): string | null =>
  name
    ?.toWellFormed()
    .replace(/\p{Cc}/gu, "")
    .slice(0, FILE_NAME_CHARACTERS_MAX)
    .toWellFormed() ?? null;

async function finish({ db, folders, signals }: UploadParts, id: string): Promise<void> {
  const upload = await store.getUpload(db, id);
  if (!upload || upload.state === "canceled") throw new MaveError("UPLOAD_CONFLICT", OVER);
  if (upload.state !== "receiving") return;
  const size_bytes = await keep(folders, id);
  await db.transaction(async (tx) => {
    const video = await lockVideo(tx, upload.space_id, upload.video_id);
    const received = video && (await store.markReceived(tx, id, size_bytes));
    if (!received) return;
    await changeStatus(tx, video, received.version, "received");
    tx.afterCommit(() => {
      signals.emit("video", { space: upload.space_id, video: upload.video_id });
      signals.emit("upload", { space: upload.space_id, video: upload.video_id, version: upload.version });
    });
  });
}

export const OVER =
  "This upload has ended because its video was deleted or a newer upload to the same video has started.";

/** Durably moves a complete file to the originals folder, unless it has already been moved. @returns its size */
async function keep(folders: Folders, id: string): Promise<number> {
  const original = join(folders.originals, id);
  const part = join(folders.incoming, id);
  if (await bytesOf(part)) {
    const moved = sync(part).then(() => rename(part, original));
    await moved.catch(unlessMoved);
  }
  await sync(folders.originals);
  await sync(folders.incoming);
  return (await stat(original)).size;
}

/** Ignores a missing file, because `reconcile` and the last request may finish the same upload concurrently. */
function unlessMoved(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}

async function leave({ db, folders, signals }: UploadParts, id: string): Promise<void> {
  const upload = await store.getUpload(db, id);
  if (upload?.state === "receiving") {
    await db.transaction(async (tx) => {
      const video = await lockVideo(tx, upload.space_id, upload.video_id);
      const left = video && (await store.cancelUpload(tx, id));
      if (left) await changeStatus(tx, video, left.version, "left");
      tx.afterCommit(() => signals.emit("video", { space: upload.space_id, video: upload.video_id }));
    });
  }
  await rm(join(folders.incoming, id), { force: true });
}

/** Updates the video's status after a change to its newest upload. Changes to older uploads have no effect. */
async function changeStatus(tx: Sql, video: VideoRow, version: number, change: "received" | "left"): Promise<void> {
  if (version !== video.last_version) return;
  // If this upload is canceled while an older one is still being processed, the status follows the older one.
  const isWaiting = change === "received" || (await store.isBeingProcessed(tx, video.space_id, video.id));
  const status = statusAfter(isWaiting ? "received" : "left", video.playing_version !== null);
  const progress = isWaiting ? (video.progress ?? 0) : null;
  await setVideoStatus(tx, video, { status, progress, error: null, version, events: 0 });
}

const RECONCILED_MAX = 10_000; // far more unfinished uploads than a few spaces can have

async function reconcile(parts: UploadParts, active: Set<string>): Promise<void> {
  const { db, folders, clock } = parts;
  for (const upload of await store.listReceiving(db, RECONCILED_MAX)) {
    const { id, size_bytes, resumable, created_at } = upload;
    if (active.has(id)) continue;
    const part = await stat(join(folders.incoming, id)).catch(() => null);
    const idle_ms = clock.now() - (part?.mtime ?? created_at).getTime();
    const isWhole = part ? size_bytes !== null && part.size === size_bytes : await bytesOf(join(folders.originals, id));
    if (isWhole && (resumable || !part)) await finish(parts, id);
    else if ((part && !resumable) || idle_ms > LIMITS.UPLOAD_EXPIRES_MS) await leave(parts, id);
  }
}

/** Returns the file's size, or 0 if the file does not exist. */
async function bytesOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}

/** Maps a full disk and a lost connection to their API errors; returns other errors unchanged. */
export function storageError(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG") return new MaveError("STORAGE_FULL");
  if (code === "ERR_STREAM_PREMATURE_CLOSE" || code === "ECONNRESET")
    return new MaveError(
      "REQUEST_MALFORMED",
      "The connection closed before the whole file was received. Send it again.",
    );
  return error;
}
