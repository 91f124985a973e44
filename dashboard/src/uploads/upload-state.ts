import { bytes } from "../format.ts";
import { measured, type Sample } from "./estimate.ts";
import { type Fault, verdict } from "./upload-error.ts";

/**
 * One file on its way to one video, as a value. Everything that can happen to it is an `Action`; `step` says what comes
 * of it, without a clock, a network or a browser. The runner does what the phases ask for.
 */
export interface Upload {
  id: string;
  /** The file, as the person knows it; also how it is recognised after a reload. */
  name: string;
  size: number;
  modified: number;
  /** The video it belongs to; null until it was created. */
  video: string | null;
  /** Whether this upload made its video: canceling then deletes it again. */
  made: boolean;
  /** Where the server keeps the part that it has; null before it has any. */
  url: string | null;
  /** Bytes that the server is believed to have. */
  sent: number;
  samples: readonly Sample[];
  /** Failures in a row. */
  tries: number;
  phase: Phase;
}

export type Phase =
  | { name: "queued" }
  | { name: "sending"; since: number }
  | { name: "paused" }
  /** Something that passes: tried again at `at` (ms). */
  | { name: "retrying"; at: number; why: string }
  /** From before a reload: the browser has to be given the file again. `kept`: it remembers where it lies. */
  | { name: "interrupted"; kept: boolean }
  | { name: "received" }
  | { name: "failed"; why: string };

export interface NewUpload extends Pick<Upload, "id" | "name" | "size" | "modified" | "video"> {
  /** The largest file that the server takes, where that is known. */
  sizeMax: number | null;
}

export type Action =
  | { type: "added"; uploads: readonly NewUpload[] }
  | { type: "remembered"; uploads: readonly { upload: Upload; kept: boolean }[] }
  | { type: "all paused" }
  | { type: "all resumed" }
  | { type: "finished cleared" }
  | { type: "online" }
  | { type: "ticked" }
  | OneAction;

type OneAction =
  | { type: "created"; id: string; video: string }
  | { type: "located"; id: string; url: string | null }
  | { type: "progressed"; id: string; sent: number }
  | { type: "received"; id: string }
  | { type: "broke"; id: string; fault: Fault }
  | { type: "paused"; id: string }
  | { type: "resumed"; id: string }
  | { type: "found"; id: string }
  | { type: "removed"; id: string };

/** Two at once: enough to hide the gap between files, few enough to leave connections for the pages. */
export const SENDING_MAX = 2;
/** A connection that moves no byte for so long is given up and made anew. */
export const STALLED_MS = 30_000;
/** A try that moved bytes for so long has ended the row of failures. */
const STEADY_MS = 5_000;

/** @returns the uploads after `action` at `now` (ms); the very same array where nothing changed */
export function step(uploads: readonly Upload[], action: Action, now: number): readonly Upload[] {
  return slotsFilled(after(uploads, action, now), now);
}

function after(uploads: readonly Upload[], action: Action, now: number): readonly Upload[] {
  switch (action.type) {
    case "added":
      return [...uploads, ...action.uploads.map(fresh)];
    case "remembered":
      return [...action.uploads.filter(({ upload }) => !known(uploads, upload)).map(interrupted), ...uploads];
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
      return each(uploads, (upload) => aged(upload, now));
    default:
      return each(uploads, (upload) => (upload.id === action.id ? one(upload, action, now) : upload));
  }
}

function one(upload: Upload, action: OneAction, now: number): Upload {
  switch (action.type) {
    case "created":
      return { ...upload, video: action.video, made: true };
    case "located":
      return { ...upload, url: action.url, sent: action.url === null ? 0 : upload.sent };
    case "progressed":
      return upload.phase.name === "sending" ? progressed(upload, action.sent, now) : upload;
    case "received":
      if (upload.phase.name === "received") return upload;
      return { ...upload, sent: upload.size, samples: [], tries: 0, phase: { name: "received" } };
    case "broke":
      return upload.phase.name === "sending" ? broken(upload, action.fault, now) : upload;
    case "paused":
      return paused(upload);
    case "resumed":
      return ["paused", "retrying", "failed"].includes(upload.phase.name) ? queued(upload) : upload;
    case "found":
      return upload.phase.name === "interrupted" ? queued(upload) : upload;
    default:
      return upload;
  }
}

function fresh({ sizeMax, ...file }: NewUpload): Upload {
  return { ...file, made: false, url: null, sent: 0, samples: [], tries: 0, phase: firstPhase(file.size, sizeMax) };
}

/** What the server would refuse is refused before a video is made for it. */
function firstPhase(size: number, sizeMax: number | null): Phase {
  if (size === 0) return { name: "failed", why: "The file is empty." };
  if (sizeMax === null || size <= sizeMax) return { name: "queued" };
  return { name: "failed", why: `The file has ${bytes(size)}; this server takes up to ${bytes(sizeMax)}.` };
}

function interrupted({ upload, kept }: { upload: Upload; kept: boolean }): Upload {
  return { ...upload, samples: [], tries: 0, phase: { name: "interrupted", kept } };
}

function queued(upload: Upload): Upload {
  return { ...upload, samples: [], phase: { name: "queued" } };
}

function paused(upload: Upload): Upload {
  const movable = ["queued", "sending", "retrying"].includes(upload.phase.name);
  return movable ? { ...upload, samples: [], tries: 0, phase: { name: "paused" } } : upload;
}

function progressed(upload: Upload, sent: number, now: number): Upload {
  const samples = measured(upload.samples, { at: now, sent });
  const steady = now - (samples[0]?.at ?? now) >= STEADY_MS;
  return { ...upload, sent, samples, tries: steady ? 0 : upload.tries };
}

function broken(upload: Upload, fault: Fault, now: number): Upload {
  const tries = upload.tries + 1;
  const { again, after_ms, why } = verdict(fault, tries);
  const phase: Phase = again ? { name: "retrying", at: now + after_ms, why } : { name: "failed", why };
  return { ...upload, samples: [], tries, phase };
}

function aged(upload: Upload, now: number): Upload {
  if (upload.phase.name === "retrying" && upload.phase.at <= now) return queued(upload);
  if (upload.phase.name !== "sending") return upload;
  const moved = upload.samples.at(-1)?.at ?? upload.phase.since;
  return now - moved >= STALLED_MS ? broken(upload, { kind: "stalled" }, now) : upload;
}

function slotsFilled(uploads: readonly Upload[], now: number): readonly Upload[] {
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

function known(uploads: readonly Upload[], upload: Upload): boolean {
  return uploads.some(({ id }) => id === upload.id);
}
