import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import type { Database } from "../store/db.ts";
import { dropExpiredUploadTokens } from "../store/upload-tokens.ts";
import * as store from "../store/uploads.ts";
import { listVideosToClear, markVideoCleared } from "../store/videos.ts";
import type { Blobs } from "./blobs.ts";
import type { MediaError } from "./probe.ts";
import type { Uploads } from "./upload.ts";
import { mediaFolder } from "./video.ts";

/**
 * Keeps files and rows in step, whatever was interrupted: finishes whole uploads, forgets left ones, removes files that
 * nobody needs. Everything it does can be repeated, so it may be killed anywhere.
 */
export interface Janitor {
  /** Clears what a killed service left behind, then goes on by a timer. For one process a data folder. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** One round, as the timer does it. */
  round(): Promise<void>;
}

export interface JanitorParts {
  db: Database;
  blobs: Blobs;
  uploads: Uploads;
  clock: Clock;
  log: Log;
}

export function createJanitor(parts: JanitorParts): Janitor {
  const { clock, log } = parts;
  let cancel = () => {};
  let stopped = false;
  let working: Promise<void> = Promise.resolve();

  async function again(): Promise<void> {
    // The database is away, most likely: the next round comes back to it.
    await round(parts).catch((error) => log.warn({ error: String(error) }, "A round of the clean-up broke off."));
    if (!stopped) cancel = clock.after(LIMITS.UPLOADS_RECONCILE_MS, tick);
  }
  function tick(): void {
    working = again();
  }

  return {
    async start() {
      await clearLeftovers(parts);
      if (!stopped) tick();
    },
    async stop() {
      stopped = true;
      cancel();
      await working;
    },
    round: () => round(parts),
  };
}

async function round({ db, blobs, uploads }: JanitorParts): Promise<void> {
  await uploads.reconcile();
  await clearUploads(db, blobs, uploads);
  await clearVideos(db, blobs);
  await dropExpiredUploadTokens(db);
}

const CLEARED_PER_ROUND_MAX = 500;
const KEPT = "ffmpeg_missing" satisfies MediaError; // its file is processed once ffmpeg is there

async function clearUploads(db: Database, blobs: Blobs, { folders }: Uploads): Promise<void> {
  const unneeded = { grace_ms: LIMITS.VERSION_KEPT_MS, keptError: KEPT };
  for (const upload of await store.listUploadsToClear(db, CLEARED_PER_ROUND_MAX, unneeded)) {
    for (const folder of [folders.incoming, folders.originals]) await rm(join(folder, upload.id), { force: true });
    for (let attempt = 1; attempt <= upload.attempt; attempt++)
      await blobs.deletePrefix(`${upload.video_id}/${mediaFolder(upload.version, attempt)}/`);
    await store.markUploadCleared(db, upload.id);
  }
}

async function clearVideos(db: Database, blobs: Blobs): Promise<void> {
  for (const { space_id, id } of await listVideosToClear(db, CLEARED_PER_ROUND_MAX)) {
    await blobs.deletePrefix(`${id}/`);
    await markVideoCleared(db, space_id, id);
  }
}

/** At the start no request writes and nothing is processed: what no row needs is left over. */
async function clearLeftovers({ db, uploads: { folders } }: JanitorParts): Promise<void> {
  for (const name of await readdir(folders.work)) await rm(join(folders.work, name), { recursive: true, force: true });
  await clearUnneeded(db, folders.incoming, ({ state }) => state === "receiving");
  await clearUnneeded(
    db,
    folders.originals,
    ({ state, error_code }) => ["receiving", "received", "processing"].includes(state) || error_code === KEPT,
  );
}

async function clearUnneeded(
  db: Database,
  folder: string,
  isNeeded: (upload: { state: store.UploadState; error_code: string | null }) => boolean,
): Promise<void> {
  const names = await readdir(folder);
  const uploads = await store.getUploadStates(db, names);
  const needed = new Set(uploads.filter(isNeeded).map(({ id }) => id));
  for (const name of names) if (!needed.has(name)) await rm(join(folder, name), { recursive: true, force: true });
}
