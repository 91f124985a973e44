import { bytes } from "../format.ts";
import { addSample, type Sample } from "./estimate.ts";
import { decideRetry, type UploadError } from "./upload-error.ts";

/** The upload of one file to one video. `reduce` computes its state, and upload-queue.ts sends the file. */
export interface Upload {
  id: string;
  /** The name, size, and modification time identify the file after a reload. */
  name: string;
  size: number;
  modified: number;
  /** Null until the video is created. */
  video: string | null;
  /** Whether the video was created for this upload. If so, canceling the upload deletes the video. */
  createdVideo: boolean;
  /** The server's URL for the partial upload. Null until the server has created it. */
  url: string | null;
  /** Bytes sent, as far as this tab knows. */
  sent: number;
  samples: readonly Sample[];
  /** Consecutive failures. */
  failures: number;
  phase: Phase;
}

export type Phase =
  | { name: "queued" }
  | { name: "sending"; since: number }
  | { name: "paused" }
  /** A temporary failure. The next attempt starts at `at` (ms). */
  | { name: "retrying"; at: number; reason: string }
  /** Restored after a reload. The upload needs its file again, from the stored handle or from the user. */
  | { name: "interrupted"; hasHandle: boolean }
  | { name: "received" }
  | { name: "failed"; reason: string };

export interface NewUpload extends Pick<Upload, "id" | "name" | "size" | "modified" | "video"> {
  /** The server's upload limit in bytes, if known. */
  sizeMax: number | null;
}

export type Action =
  | { type: "added"; uploads: readonly NewUpload[] }
  | { type: "restored"; uploads: readonly { upload: Upload; hasHandle: boolean }[] }
  | { type: "all paused" }
  | { type: "all resumed" }
  | { type: "finished cleared" }
  | { type: "online" }
  | { type: "ticked" }
  | UploadAction;

type UploadAction =
  | { type: "created"; id: string; video: string }
  | { type: "located"; id: string; url: string | null }
  | { type: "progressed"; id: string; sent: number }
  | { type: "received"; id: string }
  | { type: "failed"; id: string; error: UploadError }
  | { type: "paused"; id: string }
  | { type: "resumed"; id: string }
  | { type: "reopened"; id: string }
  | { type: "removed"; id: string };

/** Sending two uploads at once hides the gap between files and leaves enough connections for other requests. */
export const SENDING_MAX = 2;
/** A connection that sends nothing for this long is replaced. */
export const STALLED_MS = 30_000;
/** The failure count is reset once an attempt has sent data for this long. */
const STABLE_MS = 5_000;

/** @returns the uploads after `action` at `now` (ms), or the same array if nothing changed */
export function reduce(uploads: readonly Upload[], action: Action, now: number): readonly Upload[] {
  return startQueued(apply(uploads, action, now), now);
}

function apply(uploads: readonly Upload[], action: Action, now: number): readonly Upload[] {
  switch (action.type) {
    case "added":
      return [...uploads, ...action.uploads.map(newUpload)];
    case "restored":
      return [...action.uploads.filter(({ upload }) => !includes(uploads, upload)).map(interrupted), ...uploads];
    case "removed":
      return uploads.filter(({ id }) => id !== action.id);
    case "finished cleared":
      return uploads.filter(({ phase }) => phase.name !== "received" && phase.name !== "failed");
    case "all paused":
      return each(uploads, paused);
    case "all resumed":
      return each(uploads, (upload) => (upload.phase.name === "paused" ? queued(upload) : upload));
    case "online":
      return each(uploads, (upload) => (upload.phase.name === "retrying" ? queued(upload) : upload));
    case "ticked":
      return each(uploads, (upload) => checkTimers(upload, now));
    default:
      return each(uploads, (upload) => (upload.id === action.id ? applyToUpload(upload, action, now) : upload));
  }
}

function applyToUpload(upload: Upload, action: UploadAction, now: number): Upload {
  switch (action.type) {
    case "created":
      return { ...upload, video: action.video, createdVideo: true };
    case "located":
      return { ...upload, url: action.url, sent: action.url === null ? 0 : upload.sent };
    case "progressed":
      return upload.phase.name === "sending" ? progressed(upload, action.sent, now) : upload;
    case "received":
      if (upload.phase.name === "received") return upload;
      return { ...upload, sent: upload.size, samples: [], failures: 0, phase: { name: "received" } };
    case "failed":
      return upload.phase.name === "sending" ? failed(upload, action.error, now) : upload;
    case "paused":
      return paused(upload);
    case "resumed":
      return ["paused", "retrying", "failed"].includes(upload.phase.name) ? queued(upload) : upload;
    case "reopened":
      return upload.phase.name === "interrupted" ? queued(upload) : upload;
    default:
      return upload;
  }
}

function newUpload({ sizeMax, ...file }: NewUpload): Upload {
  const phase = firstPhase(file.size, sizeMax);
  return { ...file, createdVideo: false, url: null, sent: 0, samples: [], failures: 0, phase };
}

/** Rejects any file that the server would reject, so that no video is created for it. */
function firstPhase(size: number, sizeMax: number | null): Phase {
  if (size === 0) return { name: "failed", reason: "The file is empty." };
  if (sizeMax === null || size <= sizeMax) return { name: "queued" };
  return { name: "failed", reason: `The file is ${bytes(size)}; this server accepts up to ${bytes(sizeMax)}.` };
}

function interrupted({ upload, hasHandle }: { upload: Upload; hasHandle: boolean }): Upload {
  return { ...upload, samples: [], failures: 0, phase: { name: "interrupted", hasHandle } };
}

function queued(upload: Upload): Upload {
  return { ...upload, samples: [], phase: { name: "queued" } };
}

function paused(upload: Upload): Upload {
  const isActive = ["queued", "sending", "retrying"].includes(upload.phase.name);
  return isActive ? { ...upload, samples: [], failures: 0, phase: { name: "paused" } } : upload;
}

function progressed(upload: Upload, sent: number, now: number): Upload {
  const samples = addSample(upload.samples, { at: now, sent });
  const isStable = now - (samples[0]?.at ?? now) >= STABLE_MS;
  return { ...upload, sent, samples, failures: isStable ? 0 : upload.failures };
}

function failed(upload: Upload, error: UploadError, now: number): Upload {
  const failures = upload.failures + 1;
  const decision = decideRetry(error, failures);
  const phase: Phase = decision.retry
    ? { name: "retrying", at: now + decision.delay_ms, reason: decision.reason }
    : { name: "failed", reason: decision.reason };
  return { ...upload, samples: [], failures, phase };
}

function checkTimers(upload: Upload, now: number): Upload {
  if (upload.phase.name === "retrying" && upload.phase.at <= now) return queued(upload);
  if (upload.phase.name !== "sending") return upload;
  const lastSent_ms = upload.samples.at(-1)?.at ?? upload.phase.since;
  return now - lastSent_ms >= STALLED_MS ? failed(upload, { kind: "stalled" }, now) : upload;
}

function startQueued(uploads: readonly Upload[], now: number): readonly Upload[] {
  let free = SENDING_MAX - uploads.filter(({ phase }) => phase.name === "sending").length;
  return each(uploads, (upload) => {
    if (upload.phase.name !== "queued" || free <= 0) return upload;
    free -= 1;
    return { ...upload, phase: { name: "sending", since: now } };
  });
}

function each(uploads: readonly Upload[], change: (upload: Upload) => Upload): readonly Upload[] {
  const changed = uploads.map(change);
  return changed.every((upload, i) => upload === uploads[i]) ? uploads : changed;
}

function includes(uploads: readonly Upload[], upload: Upload): boolean {
  return uploads.some(({ id }) => id === upload.id);
}
