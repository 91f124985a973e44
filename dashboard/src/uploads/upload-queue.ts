/**
 * This tab's uploads, which continue when the user changes pages. `reduce` in upload-state.ts computes their state.
 * This file manages their connections and file handles, the store, and a timer that ticks every second.
 */
import { useSyncExternalStore } from "react";
import { overviewQuery, queryClient } from "../api/queries.ts";
import { nowMs } from "../clock.ts";
import type { PickedFile } from "./picked-files.ts";
import { discard, startUpload } from "./tus-upload.ts";
import { type Action, reduce, type Upload } from "./upload-state.ts";
import { deleteAllUploads, deleteUpload, loadUploads, lockUpload, saveUpload } from "./upload-store.ts";

/** Chromium's method to request access to a file again after a reload. TypeScript's DOM types do not include it. */
interface WithPermission {
  requestPermission?(wanted: { mode: "read" }): Promise<PermissionState>;
}

/** An upload's resources that are not part of its state. */
interface Resources {
  file: File | null;
  handle: FileSystemFileHandle | null;
  /** Stops the connection. Null if there is no connection. */
  stop: (() => void) | null;
  unlock: () => void;
  savedAt_ms: number;
}

const SAVE_INTERVAL_MS = 2_000;

let uploads: readonly Upload[] = [];
const resources = new Map<string, Resources>();
const listeners = new Set<() => void>();
let ticker: ReturnType<typeof setInterval> | undefined;

export const useUploads = (): readonly Upload[] => useSyncExternalStore(subscribe, () => uploads);

/**
 * Queues each file as a new video or, if `video` is given, a single file for that video. If a file belongs to an
 * interrupted upload, that upload is resumed instead.
 */
export function add(files: readonly PickedFile[], video: string | null = null): void {
  const sizeMax = queryClient.getQueryData(overviewQuery.queryKey)?.limits.upload_bytes ?? null;
  const added = files.filter((file) => !resumeInterrupted(file, video));
  dispatch({
    type: "added",
    uploads: added.map(({ file, handle }) => {
      const id = crypto.randomUUID();
      resources.set(id, { file, handle, stop: null, unlock: lockUpload(id), savedAt_ms: 0 });
      return { id, name: file.name, size: file.size, modified: file.lastModified, video, sizeMax };
    }),
  });
}

export const pause = (id: string): void => dispatch({ type: "paused", id });
export const resume = (id: string): void => dispatch({ type: "resumed", id });
export const pauseAll = (): void => dispatch({ type: "all paused" });
export const resumeAll = (): void => dispatch({ type: "all resumed" });
export const clearFinished = (): void => dispatch({ type: "finished cleared" });

/** Cancels an upload and deletes its data on the server. Throws if the API rejects the deletion. */
export async function cancel(id: string): Promise<void> {
  const upload = uploads.find((one) => one.id === id);
  dispatch({ type: "removed", id });
  if (upload && upload.phase.name !== "received") await discard(upload);
}

/** Resumes an interrupted upload through its file handle. @returns false if the user has to choose the file again */
export async function reopen(id: string): Promise<boolean> {
  const handle = resources.get(id)?.handle;
  if (!handle) return false;
  const { requestPermission } = handle as FileSystemFileHandle & WithPermission;
  if ((await requestPermission?.call(handle, { mode: "read" })) !== "granted") return false;
  const file = await handle.getFile().catch(() => null);
  return file !== null && resumeInterrupted({ file, handle }, null);
}

/** Resumes the interrupted uploads that these files belong to. @returns the files that match none */
export const resumeWith = (files: readonly PickedFile[]): PickedFile[] =>
  files.filter((file) => !resumeInterrupted(file, null));

/** Restores uploads that a reload interrupted. Called once per page load. */
export async function restoreUploads(): Promise<void> {
  const stored = await loadUploads();
  for (const { upload, handle } of stored)
    if (!resources.has(upload.id))
      resources.set(upload.id, { file: null, handle, stop: null, unlock: lockUpload(upload.id), savedAt_ms: nowMs() });
  const uploads = stored.map(({ upload, handle }) => ({ upload, hasHandle: handle !== null }));
  dispatch({ type: "restored", uploads });
}

/** Stops all uploads and clears the store on sign-out. Partial uploads expire on the server. */
export async function abandonUploads(): Promise<void> {
  for (const { id } of uploads) dispatch({ type: "removed", id });
  await deleteAllUploads();
}

function resumeInterrupted({ file, handle }: PickedFile, video: string | null): boolean {
  const matches = (upload: Upload) =>
    upload.phase.name === "interrupted" &&
    upload.name === file.name &&
    upload.size === file.size &&
    upload.modified === file.lastModified &&
    (video === null || video === upload.video);
  const upload = uploads.find(matches);
  const held = upload && resources.get(upload.id);
  if (!upload || !held) return false;
  resources.set(upload.id, { ...held, file, handle: handle ?? held.handle });
  dispatch({ type: "reopened", id: upload.id });
  return true;
}

function dispatch(action: Action): void {
  const before = uploads;
  uploads = reduce(before, action, nowMs());
  if (uploads === before) {
    if (action.type === "ticked") notify(); // updates countdowns
    return;
  }
  const previous = new Map(before.map((upload) => [upload.id, upload]));
  for (const upload of uploads) synchronize(upload, previous.get(upload.id));
  for (const { id } of before) if (!uploads.some((upload) => upload.id === id)) release(id);
  updateTicker();
  notify();
}

/** Starts or stops an upload's connection according to its phase, and saves changes to the store. */
function synchronize(upload: Upload, before: Upload | undefined): void {
  const held = resources.get(upload.id);
  if (!held || upload === before) return;
  const isSending = upload.phase.name === "sending";
  if (!isSending && held.stop) {
    held.stop();
    held.stop = null;
  }
  if (isSending && !held.stop && held.file) held.stop = start(upload, held.file);
  if (upload.phase.name === "received") {
    held.unlock();
    void deleteUpload(upload.id);
    return;
  }
  const changed =
    upload.phase.name !== before?.phase.name || upload.url !== before.url || upload.video !== before.video;
  if (changed || nowMs() - held.savedAt_ms >= SAVE_INTERVAL_MS) {
    held.savedAt_ms = nowMs();
    void saveUpload({ upload: { ...upload, samples: [] }, handle: held.handle });
  }
}

function start(upload: Upload, file: File): () => void {
  const { id } = upload;
  return startUpload(upload, file, {
    created: (video) => dispatch({ type: "created", id, video }),
    located: (url) => dispatch({ type: "located", id, url }),
    progressed: (sent) => dispatch({ type: "progressed", id, sent }),
    received: () => dispatch({ type: "received", id }),
    failed: (error) => dispatch({ type: "failed", id, error }),
  });
}

function release(id: string): void {
  const held = resources.get(id);
  held?.stop?.();
  held?.unlock();
  resources.delete(id);
  void deleteUpload(id);
}

function updateTicker(): void {
  const isActive = uploads.some(({ phase }) => phase.name === "sending" || phase.name === "retrying");
  if (isActive) ticker ??= setInterval(() => dispatch({ type: "ticked" }), 1_000);
  else {
    clearInterval(ticker);
    ticker = undefined;
  }
}

function notify(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

addEventListener("online", () => dispatch({ type: "online" }));
addEventListener("beforeunload", (event) => {
  if (uploads.some(({ phase }) => phase.name === "sending")) event.preventDefault();
});
