/**
 * The uploads of this tab: they go on while pages change. Keeps the state, does what it asks for, tells who watches.
 * `step` decides; here are the effects: connections, files, memory, the second's tick.
 */
import { useSyncExternalStore } from "react";
import { overviewQuery, queryClient } from "../api/queries.ts";
import { nowMs } from "../clock.ts";
import { discard, send } from "./tus-upload.ts";
import { type Action, step, type Upload } from "./upload-state.ts";
import { claim, forget, forgetAll, recall, remember } from "./upload-store.ts";

/** A file, with its handle where the browser gives one: a handle survives a reload. */
export interface Given {
  file: File;
  handle: FileSystemFileHandle | null;
}

/** Chromium's way to ask again for a file after a reload; TypeScript's library does not know it yet. */
interface Permissible {
  requestPermission?(wanted: { mode: "read" }): Promise<PermissionState>;
}

interface Held {
  file: File | null;
  handle: FileSystemFileHandle | null;
  stop: (() => void) | null;
  release: () => void;
  rememberedAt: number;
}

const REMEMBER_EVERY_MS = 2_000;

let uploads: readonly Upload[] = [];
const held = new Map<string, Held>();
const watchers = new Set<() => void>();
let ticking: ReturnType<typeof setInterval> | undefined;

export const useUploads = (): readonly Upload[] => useSyncExternalStore(watch, () => uploads);

/** Queues files: each for a new video, or the one file for `video`. A file that was interrupted goes on instead. */
export function add(given: readonly Given[], video: string | null = null): void {
  const sizeMax = queryClient.getQueryData(overviewQuery.queryKey)?.limits.upload_bytes ?? null;
  const added = given.filter((one) => !resumedBy(one, video));
  act({
    type: "added",
    uploads: added.map(({ file, handle }) => {
      const id = crypto.randomUUID();
      held.set(id, { file, handle, stop: null, release: claim(id), rememberedAt: 0 });
      return { id, name: file.name, size: file.size, modified: file.lastModified, video, sizeMax };
    }),
  });
}

export const pause = (id: string): void => act({ type: "paused", id });
export const resume = (id: string): void => act({ type: "resumed", id });
export const pauseAll = (): void => act({ type: "all paused" });
export const resumeAll = (): void => act({ type: "all resumed" });
export const clearFinished = (): void => act({ type: "finished cleared" });

/** Ends an upload and throws away what the server has of it. Throws what the API refused. */
export async function cancel(id: string): Promise<void> {
  const upload = uploads.find((one) => one.id === id);
  act({ type: "removed", id });
  if (upload && upload.phase.name !== "received") await discard(upload);
}

/** Goes on with a file that was interrupted, by its handle. Returns false where the person has to choose it. */
export async function reopen(id: string): Promise<boolean> {
  const handle = held.get(id)?.handle;
  if (!handle) return false;
  const asked = handle as FileSystemFileHandle & Permissible;
  if ((await asked.requestPermission?.({ mode: "read" })) !== "granted") return false;
  const file = await handle.getFile().catch(() => null);
  return file !== null && resumedBy({ file, handle }, null);
}

/** Goes on with the interrupted uploads that these files belong to. Returns the files that belong to none. */
export const resumeWith = (given: readonly Given[]): Given[] => given.filter((one) => !resumedBy(one, null));

/** Shows what an earlier page left behind. Once per page. */
export async function recallUploads(): Promise<void> {
  const remembered = await recall();
  for (const { upload, handle } of remembered)
    if (!held.has(upload.id))
      held.set(upload.id, { file: null, handle, stop: null, release: claim(upload.id), rememberedAt: nowMs() });
  act({ type: "remembered", uploads: remembered.map(({ upload, handle }) => ({ upload, kept: handle !== null })) });
}

/** At sign-out: stops everything and leaves no file name behind. What the server has expires by itself. */
export async function leaveUploads(): Promise<void> {
  for (const { id } of uploads) act({ type: "removed", id });
  await forgetAll();
}

function resumedBy({ file, handle }: Given, video: string | null): boolean {
  const same = (upload: Upload) =>
    upload.phase.name === "interrupted" &&
    upload.name === file.name &&
    upload.size === file.size &&
    upload.modified === file.lastModified &&
    (video === null || video === upload.video);
  const upload = uploads.find(same);
  const mine = upload && held.get(upload.id);
  if (!upload || !mine) return false;
  held.set(upload.id, { ...mine, file, handle: handle ?? mine.handle });
  act({ type: "found", id: upload.id });
  return true;
}

function act(action: Action): void {
  const before = uploads;
  uploads = step(before, action, nowMs());
  if (uploads === before) {
    if (action.type === "ticked") tell(); // countdowns
    return;
  }
  for (const upload of uploads)
    settle(
      upload,
      before.find(({ id }) => id === upload.id),
    );
  for (const { id } of before) if (!uploads.some((upload) => upload.id === id)) drop(id);
  keepTicking();
  tell();
}

/** Brings the connection and the memory in line with the phase. */
function settle(upload: Upload, before: Upload | undefined): void {
  const mine = held.get(upload.id);
  if (!mine || upload === before) return;
  const sending = upload.phase.name === "sending";
  if (!sending && mine.stop) {
    mine.stop();
    mine.stop = null;
  }
  if (sending && !mine.stop && mine.file) mine.stop = start(upload, mine.file);
  if (upload.phase.name === "received") {
    mine.release();
    void forget(upload.id);
    return;
  }
  const changed =
    upload.phase.name !== before?.phase.name || upload.url !== before.url || upload.video !== before.video;
  if (changed || nowMs() - mine.rememberedAt >= REMEMBER_EVERY_MS) {
    mine.rememberedAt = nowMs();
    void remember({ upload: { ...upload, samples: [] }, handle: mine.handle });
  }
}

function start(upload: Upload, file: File): () => void {
  const { id } = upload;
  return send(upload, file, {
    created: (video) => act({ type: "created", id, video }),
    located: (url) => act({ type: "located", id, url }),
    progressed: (sent) => act({ type: "progressed", id, sent }),
    received: () => act({ type: "received", id }),
    broke: (fault) => act({ type: "broke", id, fault }),
  });
}

function drop(id: string): void {
  const mine = held.get(id);
  mine?.stop?.();
  mine?.release();
  held.delete(id);
  void forget(id);
}

function keepTicking(): void {
  const moving = uploads.some(({ phase }) => phase.name === "sending" || phase.name === "retrying");
  if (moving) ticking ??= setInterval(() => act({ type: "ticked" }), 1_000);
  else {
    clearInterval(ticking);
    ticking = undefined;
  }
}

function tell(): void {
  for (const watcher of watchers) watcher();
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

addEventListener("online", () => act({ type: "online" }));
addEventListener("beforeunload", (event) => {
  if (uploads.some(({ phase }) => phase.name === "sending")) event.preventDefault();
});
