import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Recorder } from "../events/record.ts";
import { LIMITS } from "../kernel/limits.ts";
import { Loop, type LoopParts } from "../kernel/loop.ts";
import type { Random } from "../kernel/random.ts";
import type { Signals } from "../kernel/signals.ts";
import { uuidV7 } from "../kernel/uuid.ts";
import type { Database } from "../store/db.ts";
import * as store from "../store/uploads.ts";
import { lockVideo, publishVideo, setVideoStatus } from "../store/videos.ts";
import type { Blobs } from "./blobs.ts";
import type { ConversionOutcome, Media } from "./conversion.ts";
import type { Ffmpeg } from "./ffmpeg.ts";
import type { Folders } from "./folders.ts";
import { keepLease, type Lease, startHeartbeat } from "./lease.ts";
import { convert } from "./media.ts";
import { type MediaError, type Refusal, refusal } from "./probe.ts";
import { remuxMedia } from "./remux.ts";
import { mediaFolder, statusAfter, videoEvent } from "./video.ts";

/** Converts received files into playable versions, one at a time. */
export interface Processor {
  /** Starts processing. Resolves once the processor is listening for uploads. */
  start(): Promise<void>;
  /** Stops the current conversion and releases its upload. */
  stop(): Promise<void>;
}

export interface ProcessorParts extends LoopParts {
  db: Database;
  recorder: Recorder;
  blobs: Blobs;
  folders: Folders;
  random: Random;
  signals: Signals;
  publicUrl: string;
  /** Null if ffmpeg is not installed, in which case only files that need no conversion can be processed. */
  ffmpeg: Ffmpeg | null;
}

export function createProcessor(parts: ProcessorParts): Processor {
  const stopping = new AbortController();
  const undo: (() => void)[] = [];
  const loop = new Loop(parts, {
    name: "processing",
    round: () => processNext(parts, stopping.signal),
    interval_ms: LIMITS.PROCESSING_POLL_MS,
    limit_ms: Number.POSITIVE_INFINITY, // a conversion may take days; ffmpeg and each statement have their own limits
    onError: (err) => parts.log.warn({ err }, "Processing failed; retrying at the next poll"),
  });

  return {
    async start() {
      if (parts.ffmpeg) await requeue(parts);
      undo.push(parts.signals.on("upload", () => loop.wake()));
      void loop.start();
    },
    async stop() {
      for (const unlisten of undo) unlisten();
      stopping.abort();
      await loop.stop();
    },
  };
}

/** Processes the next upload, if there is one. @returns ms until the next round */
async function processNext(parts: ProcessorParts, stopping: AbortSignal): Promise<number> {
  const { db, watchdog } = parts;
  const [next] = await watchdog.during("processing", LIMITS.LOOP_ROUND_MS, store.listToProcess(db, 1));
  if (next === undefined) return LIMITS.PROCESSING_POLL_MS;
  await process(parts, next, stopping);
  return 0;
}

/** Retries uploads that failed because ffmpeg was missing. */
async function requeue({ db, log }: ProcessorParts): Promise<void> {
  const queued = await store.requeueUploads(db, "ffmpeg_missing" satisfies MediaError);
  if (queued.length > 0) log.info({ uploads: queued.length }, "Found ffmpeg; processing the uploads that need it");
}

/** Makes one processing attempt, from claim to outcome. */
async function process(parts: ProcessorParts, candidate: store.UploadRow, stopping: AbortSignal): Promise<void> {
  const token = uuidV7(parts.clock.now(), parts.random);
  const stopHeartbeat = await startHeartbeat(parts, token);
  try {
    const upload = await claim(parts, candidate, token);
    if (upload) await runAttempt(parts, upload, token, stopping);
  } finally {
    await stopHeartbeat();
  }
}

async function runAttempt(
  parts: ProcessorParts,
  upload: store.UploadRow,
  token: string,
  stopping: AbortSignal,
): Promise<void> {
  const { db, folders, log, watchdog } = parts;
  const lease = keepLease(parts, upload, token, stopping);
  const about = { video: upload.video_id, version: upload.version, attempt: upload.attempt };
  const folder = join(folders.work, `${upload.id}-${upload.attempt}`);
  try {
    const outcome = await convertUpload(parts, upload, folder, lease);
    const settling = settle(parts, upload, token, outcome, stopping.aborted);
    await watchdog.during("processing", LIMITS.LOOP_ROUND_MS, settling);
    const detail = "detail" in outcome ? outcome.detail : undefined;
    log.info({ ...about, outcome: outcome.how, detail }, "Processing attempt finished");
  } catch (err) {
    log.error({ ...about, err }, "Failed to settle processing attempt; retrying later");
    await store.releaseUpload(db, upload.id, token, { wait_ms: retryAfter(upload), counted: true });
  } finally {
    lease.end();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Claims the upload, and records `video.processing` on the first attempt. */
async function claim(
  parts: ProcessorParts,
  { id, space_id, video_id }: store.UploadRow,
  token: string,
): Promise<store.UploadRow | undefined> {
  const { db, recorder, publicUrl, signals } = parts;
  return db.transaction(async (tx) => {
    const video = await lockVideo(tx, space_id, video_id);
    // An upload's state changes only while its video is locked, so this state is still current when the upload is
    // claimed.
    const before = video && (await store.getUpload(tx, id));
    const upload = before && (await store.claimUpload(tx, id, token, LIMITS.PROCESSING_LEASE_MS));
    if (upload) tx.afterCommit(() => signals.emit("video", { space: space_id, video: video_id }));
    if (!video || !upload || before.state !== "received") return upload;
    const newest = upload.version === video.last_version;
    const status = newest ? statusAfter("received", video.playing_version !== null) : video.status;
    const error = newest ? null : { code: video.error_code, message: video.error_message };
    const processing = await setVideoStatus(tx, video, {
      ...{ status, progress: 0, version: video.last_version, events: 1 },
      error: error?.code ? { code: error.code, message: error.message ?? "" } : null,
    });
    await recorder.record(tx, videoEvent("video.processing", processing, publicUrl));
    return upload;
  });
}

async function convertUpload(
  { ffmpeg, folders, blobs, clock }: ProcessorParts,
  upload: store.UploadRow,
  folder: string,
  lease: Lease,
): Promise<ConversionOutcome> {
  if (upload.attempt > LIMITS.PROCESSING_ATTEMPTS_MAX)
    return { how: "refused", refusal: refusal("processing_failed"), detail: "no attempts left" };
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const input = join(folders.originals, upload.id);
  const { signal, onProgress } = lease;
  const outcome = ffmpeg
    ? await convert({ ffmpeg, input, folder, signal, onProgress })
    : await remuxMedia(clock, { input, folder, signal, onProgress });
  if (outcome.how !== "converted") return outcome;
  return (await putAll(blobs, upload, folder, outcome.media, signal)) ? outcome : { how: "canceled" };
}

/** Moves the files to blob storage. If the lease is lost in the meantime, deletes them and returns false. */
async function putAll(
  blobs: Blobs,
  upload: store.UploadRow,
  folder: string,
  media: Media,
  signal: AbortSignal,
): Promise<boolean> {
  const prefix = prefixOf(upload);
  for (const file of media.files) {
    if (signal.aborted) break;
    await blobs.put(prefix + file, join(folder, file));
  }
  if (signal.aborted) await blobs.deletePrefix(prefix);
  return !signal.aborted;
}

/** Returns the attempt's blob prefix, which no other attempt uses. */
const prefixOf = ({ video_id, version, attempt }: store.UploadRow): string =>
  `${video_id}/${mediaFolder(version, attempt)}/`;

/** @param stopping whether the server is stopping, in which case the attempt is not counted */
async function settle(
  parts: ProcessorParts,
  upload: store.UploadRow,
  token: string,
  outcome: ConversionOutcome,
  stopping: boolean,
): Promise<void> {
  const { db } = parts;
  if (outcome.how === "converted") return publish(parts, upload, token, outcome.media);
  if (outcome.how === "refused") return fail(parts, upload, token, outcome.refusal);
  if (outcome.how === "error" && !stopping && upload.attempt >= LIMITS.PROCESSING_ATTEMPTS_MAX)
    return fail(parts, upload, token, refusal("processing_failed"));
  // If the lease has been lost, this changes nothing. If the server is stopping, processing resumes after the next
  // startup.
  const wait_ms = stopping ? 0 : retryAfter(upload);
  await store.releaseUpload(db, upload.id, token, { wait_ms, counted: !stopping });
}

const retryAfter = ({ attempt }: store.UploadRow) => LIMITS.PROCESSING_RETRY_MS * attempt ** 2;

/** Switches to the new version and records `video.uploaded` in one transaction, at most once per upload. */
async function publish(parts: ProcessorParts, upload: store.UploadRow, token: string, media: Media): Promise<void> {
  const { db, recorder, publicUrl, signals, folders, blobs } = parts;
  const { id, space_id, video_id, version, attempt } = upload;
  const done = await db.transaction(async (tx) => {
    const video = await lockVideo(tx, space_id, video_id);
    const ours =
      video && (await store.finishUpload(tx, id, token, { state: "published", media: media.notes, error: null }));
    if (!ours) return false;
    const { duration_s, width, height, renditions, poster, storyboard, playback } = media;
    const published = await publishVideo(tx, video, {
      ...{ duration_s, width, height, renditions, poster, storyboard, playback, version },
      status: statusAfter("published", true),
      size_bytes: upload.size_bytes ?? 0,
      folder: mediaFolder(version, attempt),
    });
    await recorder.record(tx, videoEvent("video.uploaded", published, publicUrl));
    tx.afterCommit(() => signals.emit("video", { space: space_id, video: video_id }));
    return true;
  });
  // If the version was published, the original is no longer needed. Otherwise, the lease was lost or the video was
  // deleted, so the new files are not needed.
  if (done) await rm(join(folders.originals, id), { force: true });
  else await blobs.deletePrefix(prefixOf(upload));
}

async function fail(parts: ProcessorParts, upload: store.UploadRow, token: string, error: Refusal): Promise<void> {
  const { db, recorder, publicUrl, signals } = parts;
  const { id, space_id, video_id, version } = upload;
  await db.transaction(async (tx) => {
    const video = await lockVideo(tx, space_id, video_id);
    const ours = video && (await store.finishUpload(tx, id, token, { state: "failed", media: null, error }));
    if (!ours) return;
    const newest = version === video.last_version;
    const status = newest ? statusAfter("failed", video.playing_version !== null) : video.status;
    const change = { status, progress: null, error, version: video.last_version, events: 1 as const };
    const failed = await setVideoStatus(tx, video, change);
    await recorder.record(tx, videoEvent("video.failed", failed, publicUrl));
    tx.afterCommit(() => signals.emit("video", { space: space_id, video: video_id }));
  });
}
