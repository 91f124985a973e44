import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { LIMITS } from "../kernel/limits.ts";
import { Loop, type LoopParts } from "../kernel/loop.ts";
import type { Database } from "../store/db.ts";
import { dropExpiredUploadTokens } from "../store/upload-tokens.ts";
import * as store from "../store/uploads.ts";
import { listVideosToClear, markVideoCleared } from "../store/videos.ts";
import type { Blobs } from "./blobs.ts";
import type { MediaError } from "./probe.ts";
import type { Uploads } from "./upload.ts";
import { mediaFolder } from "./video.ts";

/**
 * Keeps files and rows consistent after interruptions: it finalizes fully received uploads, cancels abandoned ones and
 * deletes files that are no longer needed. Every step is idempotent, so the process can be killed at any point.
 */
export interface Janitor {
  /** Deletes files left behind by a killed process, then runs periodically. Run only one janitor per data folder. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Runs one cleanup round. */
  round(): Promise<void>;
}

export interface JanitorParts extends LoopParts {
  db: Database;
  blobs: Blobs;
  uploads: Uploads;
}

export function createJanitor(parts: JanitorParts): Janitor {
  const stopping = new AbortController();
  const loop = new Loop(parts, {
    name: "cleanup",
    round: () => round(parts, stopping.signal),
    interval_ms: LIMITS.UPLOADS_RECONCILE_MS,
    limit_ms: LIMITS.CLEANUP_ROUND_MS,
    onError: (err) => parts.log.warn({ err }, "Cleanup round failed; retrying in the next round"),
  });
  return {
    async start() {
      await deleteLeftovers(parts);
      void loop.start();
    },
    stop() {
      stopping.abort();
      return loop.stop();
    },
    round: () => round(parts, stopping.signal),
  };
}

async function round({ db, blobs, uploads }: JanitorParts, stopping: AbortSignal): Promise<void> {
  await uploads.reconcile();
  await deleteUploadFiles(db, blobs, uploads, stopping);
  await deleteVideoFiles(db, blobs, stopping);
  await dropExpiredUploadTokens(db);
}

const DELETED_PER_ROUND_MAX = 500; // a round must end before the next one; the next one continues
const KEPT_ERROR = "ffmpeg_missing" satisfies MediaError; // its upload's file is kept until ffmpeg is installed

async function deleteUploadFiles(
  db: Database,
  blobs: Blobs,
  { folders }: Uploads,
  stopping: AbortSignal,
): Promise<void> {
  const unneeded = { grace_ms: LIMITS.VERSION_KEPT_MS, keptError: KEPT_ERROR };
  for (const upload of await store.listUploadsToClear(db, DELETED_PER_ROUND_MAX, unneeded)) {
    if (stopping.aborted) return; // the next startup continues
    for (const folder of [folders.incoming, folders.originals]) await rm(join(folder, upload.id), { force: true });
    for (let attempt = 1; attempt <= upload.attempt; attempt++)
      await blobs.deletePrefix(`${upload.video_id}/${mediaFolder(upload.version, attempt)}/`);
    await store.markUploadCleared(db, upload.id);
  }
}

async function deleteVideoFiles(db: Database, blobs: Blobs, stopping: AbortSignal): Promise<void> {
  for (const { space_id, id } of await listVideosToClear(db, DELETED_PER_ROUND_MAX)) {
    if (stopping.aborted) return;
    await blobs.deletePrefix(`${id}/`);
    await markVideoCleared(db, space_id, id);
  }
}

/** Deletes every file that no row needs. This is safe only at startup, while nothing is being uploaded or processed. */
async function deleteLeftovers({ db, uploads: { folders } }: JanitorParts): Promise<void> {
  for (const name of await readdir(folders.work)) await rm(join(folders.work, name), { recursive: true, force: true });
  await deleteUnneeded(db, folders.incoming, ({ state }) => state === "receiving");
  await deleteUnneeded(
    db,
    folders.originals,
    ({ state, error_code }) => ["receiving", "received", "processing"].includes(state) || error_code === KEPT_ERROR,
  );
}

async function deleteUnneeded(
  db: Database,
  folder: string,
  isNeeded: (upload: { state: store.UploadState; error_code: string | null }) => boolean,
): Promise<void> {
  const names = await readdir(folder);
  const uploads = await store.getUploadStates(db, names);
  const needed = new Set(uploads.filter(isNeeded).map(({ id }) => id));
  for (const name of names) if (!needed.has(name)) await rm(join(folder, name), { recursive: true, force: true });
}
