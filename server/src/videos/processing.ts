import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Recorder } from "../events/record.ts";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import type { Random } from "../kernel/random.ts";
import type { Signals } from "../kernel/signals.ts";
import { uuidV7 } from "../kernel/uuid.ts";
import type { Database } from "../store/db.ts";
import * as store from "../store/uploads.ts";
import { lockVideo, publishVideo, setVideoStatus } from "../store/videos.ts";
import type { Blobs } from "./blobs.ts";
import type { Ffmpeg } from "./ffmpeg.ts";
import type { Folders } from "./folders.ts";
import { showLife } from "./heartbeat.ts";
import { keepLease, type Lease } from "./lease.ts";
import type { MakingOutcome } from "./making.ts";
import { type Media, makeMedia } from "./media.ts";
import { type MediaError, type Refusal, refusal } from "./probe.ts";
import { remuxMedia } from "./remux.ts";
import { mediaFolder, statusAfter, videoEvent } from "./video.ts";

/** Turns received files into versions that play, one at a time. */
export interface Processor {
  /** Begins to take uploads; returns once it listens. */
  start(): Promise<void>;
  /** Ends what is being made, gives it back and returns. */
  stop(): Promise<void>;
}

export interface ProcessorParts {
  db: Database;
  recorder: Recorder;
  blobs: Blobs;
  folders: Folders;
  clock: Clock;
  random: Random;
  signals: Signals;
  log: Log;
  publicUrl: string;
  /** Null where this machine has none: then only what needs no conversion becomes a video. */
  ffmpeg: Ffmpeg | null;
}

export function createProcessor(parts: ProcessorParts): Processor {
  const stopping = new AbortController();
  let working: Promise<void> = Promise.resolve();
  let busy = false;
  let asked = false;
  let cancelPoll = () => {};
  const undo: (() => void)[] = [];

  /** Takes uploads until none is left; a call while it works makes it look once more. */
  function wake(): void {
    asked = true;
    if (busy || stopping.signal.aborted) return;
    busy = true;
    working = work().finally(() => {
      busy = false;
      cancelPoll();
      if (!stopping.signal.aborted) cancelPoll = parts.clock.after(LIMITS.PROCESSING_POLL_MS, wake);
    });
  }

  async function work(): Promise<void> {
    try {
      while (asked && !stopping.signal.aborted) {
        asked = false;
        const next = (await store.listToProcess(parts.db, 1))[0];
        if (next) asked = true;
        if (next) await process(parts, next, stopping.signal);
      }
    } catch (error) {
      // The database is away, most likely. The poll comes back to it.
      parts.log.error({ error: String(error) }, "Processing could not go on; it tries again.");
    }
  }

  return {
    async start() {
      if (parts.ffmpeg) await requeue(parts);
      undo.push(parts.signals.on("upload", wake));
      wake();
    },
    async stop() {
      for (const unlisten of undo) unlisten();
      stopping.abort();
      cancelPoll();
      await working;
    },
  };
}

/** What failed for want of ffmpeg is tried again, now that it is there. */
async function requeue({ db, log }: ProcessorParts): Promise<void> {
  const queued = await store.requeueUploads(db, "ffmpeg_missing" satisfies MediaError);
  if (queued.length > 0) log.info({ uploads: queued.length }, "ffmpeg is there now: processing what waited for it.");
}

/** One attempt at one upload, from its claim to its end. */
async function process(parts: ProcessorParts, candidate: store.UploadRow, stopping: AbortSignal): Promise<void> {
  const token = uuidV7(parts.clock.now(), parts.random);
  const endLifeSign = await showLife(parts, token);
  try {
    const upload = await claim(parts, candidate, token);
    if (upload) await carryOut(parts, upload, token, stopping);
  } finally {
    await endLifeSign();
  }
}

async function carryOut(
  parts: ProcessorParts,
  upload: store.UploadRow,
  token: string,
  stopping: AbortSignal,
): Promise<void> {
  const { db, folders, log } = parts;
  const lease = keepLease(parts, upload, token, stopping);
  const about = { video: upload.video_id, version: upload.version, attempt: upload.attempt };
  const folder = join(folders.work, `${upload.id}-${upload.attempt}`);
  try {
    const outcome = await attempt(parts, upload, folder, lease);
    await conclude(parts, upload, token, outcome, stopping.aborted);
    const detail = "detail" in outcome ? outcome.detail : undefined;
    log.info({ ...about, outcome: outcome.how, detail }, "An attempt at processing ended.");
  } catch (error) {
    log.error({ ...about, error: String(error) }, "An attempt at processing could not be concluded.");
    await store.releaseUpload(db, upload.id, token, { wait_ms: retryAfter(upload), counted: true });
  } finally {
    lease.end();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Takes the upload, and says once that its processing has begun. */
async function claim(
  parts: ProcessorParts,
  { id, space_id, video_id }: store.UploadRow,
  token: string,
): Promise<store.UploadRow | undefined> {
  const { recorder, publicUrl, signals } = parts;
  const claimed = await recorder.transaction(async (tx) => {
    const video = await lockVideo(tx, space_id, video_id);
    // Every change of an upload's state holds its video's lock: what is read here is what the claim finds.
    const before = video && (await store.getUpload(tx, id));
    const upload = before && (await store.claimUpload(tx, id, token, LIMITS.PROCESSING_LEASE_MS));
    if (!video || !upload || before.state !== "received") return upload;
    const newest = upload.version === video.last_version;
    const status = newest ? statusAfter("received", video.playing_version !== null) : video.status;
    const error = newest ? null : { code: video.error_code, message: video.error_message };
    const begun = await setVideoStatus(tx, video, {
      ...{ status, progress: 0, version: video.last_version, events: 1 },
      error: error?.code ? { code: error.code, message: error.message ?? "" } : null,
    });
    await tx.record(videoEvent("video.processing", begun, publicUrl));
    return upload;
  });
  if (claimed) signals.emit("video", { space: space_id, video: video_id });
  return claimed;
}

async function attempt(
  { ffmpeg, folders, blobs, clock }: ProcessorParts,
  upload: store.UploadRow,
  folder: string,
  lease: Lease,
): Promise<MakingOutcome> {
  if (upload.attempt > LIMITS.PROCESSING_ATTEMPTS_MAX)
    return { how: "refused", refusal: refusal("processing_failed"), detail: "no attempt is left" };
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const input = join(folders.originals, upload.id);
  const { signal, onProgress } = lease;
  const outcome = ffmpeg
    ? await makeMedia({ ffmpeg, input, folder, signal, onProgress })
    : await remuxMedia(clock, { input, folder, signal, onProgress });
  if (outcome.how !== "made") return outcome;
  return (await putAll(blobs, upload, folder, outcome.media, signal)) ? outcome : { how: "canceled" };
}

/** Moves the files to where they will play from. False, and none is left there, where somebody else has taken over. */
async function putAll(
  blobs: Blobs,
  upload: store.UploadRow,
  folder: string,
  media: Media,
  signal: AbortSignal,
): Promise<boolean> {
  const place = placeOf(upload);
  for (const file of media.files) {
    if (signal.aborted) break;
    await blobs.put(place + file, join(folder, file));
  }
  if (signal.aborted) await blobs.deletePrefix(place);
  return !signal.aborted;
}

/** Where the files of an attempt play from: each has a place of its own. */
const placeOf = ({ video_id, version, attempt }: store.UploadRow): string =>
  `${video_id}/${mediaFolder(version, attempt)}/`;

/** @param stopping whether the service itself ended the attempt, which then counts for nothing */
async function conclude(
  parts: ProcessorParts,
  upload: store.UploadRow,
  token: string,
  outcome: MakingOutcome,
  stopping: boolean,
): Promise<void> {
  const { db } = parts;
  if (outcome.how === "made") return publish(parts, upload, token, outcome.media);
  if (outcome.how === "refused") return fail(parts, upload, token, outcome.refusal);
  if (outcome.how === "fault" && !stopping && upload.attempt >= LIMITS.PROCESSING_ATTEMPTS_MAX)
    return fail(parts, upload, token, refusal("processing_failed"));
  // Canceled: the lease is lost already and this changes nothing, or the service stops and the next start goes on.
  const wait_ms = stopping ? 0 : retryAfter(upload);
  await store.releaseUpload(db, upload.id, token, { wait_ms, counted: !stopping });
}

const retryAfter = ({ attempt }: store.UploadRow) => LIMITS.PROCESSING_RETRY_MS * attempt ** 2;

/** The switch to the new version and the one `video.uploaded` of this upload, in one transaction. */
async function publish(parts: ProcessorParts, upload: store.UploadRow, token: string, media: Media): Promise<void> {
  const { recorder, publicUrl, signals, folders, blobs } = parts;
  const { id, space_id, video_id, version, attempt } = upload;
  const done = await recorder.transaction(async (tx) => {
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
    await tx.record(videoEvent("video.uploaded", published, publicUrl));
    return true;
  });
  // Deleted meanwhile: its files have to go the same way. Otherwise the original has served.
  if (done) await rm(join(folders.originals, id), { force: true });
  else await blobs.deletePrefix(placeOf(upload));
  if (done) signals.emit("video", { space: space_id, video: video_id });
}

async function fail(parts: ProcessorParts, upload: store.UploadRow, token: string, error: Refusal): Promise<void> {
  const { recorder, publicUrl, signals } = parts;
  const { id, space_id, video_id, version } = upload;
  const done = await recorder.transaction(async (tx) => {
    const video = await lockVideo(tx, space_id, video_id);
    const ours = video && (await store.finishUpload(tx, id, token, { state: "failed", media: null, error }));
    if (!ours) return false;
    const newest = version === video.last_version;
    const status = newest ? statusAfter("failed", video.playing_version !== null) : video.status;
    const change = { status, progress: null, error, version: video.last_version, events: 1 as const };
    const failed = await setVideoStatus(tx, video, change);
    await tx.record(videoEvent("video.failed", failed, publicUrl));
    return true;
  });
  if (done) signals.emit("video", { space: space_id, video: video_id });
}
