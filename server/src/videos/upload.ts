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
import { storageError } from "./storage-error.ts";
import { isVideoId, statusAfter, type VideoRow } from "./video.ts";

/**
 * A file's way in, whichever door it takes: begun, then received whole or left.
 *
 * Nobody who receives the last byte can be sure to get to say so (a crash, a client that is gone), and some say so
 * twice: `finish` is therefore one idempotent step, and `reconcile` takes it for whoever could not.
 */
export interface Uploads {
  /** Announces a file for a video: a new version. An unfinished upload to the same video is over with it. */
  begin(space: string, video: string, file: AnnouncedFile): Promise<{ id: string; path: string }>;
  /** The part is whole: keeps it and queues it for processing. Repeating it does no harm. */
  finish(id: string): Promise<void>;
  /** The part will not be finished: forgets it. */
  leave(id: string): Promise<void>;
  /** The row of an upload, or undefined. */
  get(id: string): Promise<store.UploadRow | undefined>;
  /** Finishes what is whole, forgets what was left. For the start of the service and a timer. */
  reconcile(): Promise<void>;
  /** Uploads that a request of this process has begun and that nobody can resume; that request takes its own out. */
  readonly active: Set<string>;
  readonly folders: Folders;
  readonly maxBytes: number;
}

export interface AnnouncedFile {
  resumable: boolean;
  /** As the uploader calls it; shown only. */
  name: string | null;
  /** Null where the uploader does not know it yet. */
  size_bytes: number | null;
}

export interface UploadParts {
  db: Database;
  folders: Folders;
  clock: Clock;
  random: Random;
  signals: Signals;
  /** The largest file accepted. */
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
  // Before there is a row: a part that nobody writes is what says, after a crash, that this upload is over.
  active.add(id);
  try {
    await createPart(path);
    await announce(parts, space, video, { ...file, id });
  } catch (error) {
    active.delete(id);
    await rm(path, { force: true });
    throw error;
  }
  return { id, path };
}

async function createPart(path: string): Promise<void> {
  await writeFile(path, "", { flag: "wx", mode: 0o600 }).catch((error) => {
    throw storageError(error);
  });
}

/** Commits that this file is on its way. */
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
      throw new MaveError("LIMIT_REACHED", "Too many uploads of this space are unfinished. Finish or end some first.");
    const version = row.last_version + 1;
    await store.insertUpload(tx, { space, video, version, ...file, file_name: printable(file.name) });
    const status = statusAfter("begun", row.playing_version !== null);
    await setVideoStatus(tx, row, { status, progress: null, error: null, version, events: 0 });
    return left;
  });
  for (const part of replaced) await rm(join(folders.incoming, part), { force: true });
  signals.emit("video", { space, video });
}

/** Refuses what cannot become a video, before a byte of it is read. */
export function checkSize(size_bytes: number | null, maxBytes: number): void {
  if (size_bytes === 0) throw new MaveError("UPLOAD_EMPTY");
  if (size_bytes === null || size_bytes <= maxBytes) return;
  throw new MaveError("REQUEST_TOO_LARGE", `The file has ${size_bytes} bytes; at most ${maxBytes} are accepted.`);
}

const FILE_NAME_CHARACTERS_MAX = 255;

// PostgreSQL stores no NUL, and half of a surrogate pair is no text.
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
  const done = await db.transaction(async (tx) => {
    const video = await lockVideo(tx, upload.space_id, upload.video_id);
    const received = video && (await store.markReceived(tx, id, size_bytes));
    if (received) await changeStatus(tx, video, received.version, "received");
    return received;
  });
  if (!done) return;
  signals.emit("video", { space: upload.space_id, video: upload.video_id });
  signals.emit("upload", { space: upload.space_id, video: upload.video_id, version: upload.version });
}

export const OVER = "This upload is over: its video was deleted, or a newer upload to it has begun.";

/** Moves a whole part to the originals, and makes both outlive a power cut. Done already: fine. */
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

/** The reconciler and the last request may both finish an upload. */
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
    });
    signals.emit("video", { space: upload.space_id, video: upload.video_id });
  }
  await rm(join(folders.incoming, id), { force: true });
}

/** Only a video's newest upload says what state the video is in. */
async function changeStatus(tx: Sql, video: VideoRow, version: number, happening: "received" | "left"): Promise<void> {
  if (version !== video.last_version) return;
  // Left, while an older one is still being processed: that one is what the video waits for.
  const waits = happening === "received" || (await store.isBeingProcessed(tx, video.space_id, video.id));
  const status = statusAfter(waits ? "received" : "left", video.playing_version !== null);
  const progress = waits ? (video.progress ?? 0) : null;
  await setVideoStatus(tx, video, { status, progress, error: null, version, events: 0 });
}

const RECONCILED_MAX = 10_000; // far above what a few spaces may have open

async function reconcile(parts: UploadParts, active: Set<string>): Promise<void> {
  const { db, folders, clock } = parts;
  for (const upload of await store.listReceiving(db, RECONCILED_MAX)) {
    const { id, size_bytes, resumable, created_at } = upload;
    if (active.has(id)) continue;
    const part = await stat(join(folders.incoming, id)).catch(() => null);
    const idle_ms = clock.now() - (part?.mtime ?? created_at).getTime();
    const whole = part ? size_bytes !== null && part.size === size_bytes : await bytesOf(join(folders.originals, id));
    if (whole && (resumable || !part)) await finish(parts, id);
    else if ((part && !resumable) || idle_ms > LIMITS.UPLOAD_EXPIRES_MS) await leave(parts, id);
  }
}

/** The size of a file, 0 where there is none. */
async function bytesOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}
