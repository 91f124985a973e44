/**
 * What a reload must not forget: which files were on their way, where the server keeps their part, and, where the
 * browser can (Chromium), a handle to the file itself. In this browser's IndexedDB, and gone with the receipt.
 * Bytes are never copied here. Where storage is forbidden nothing is remembered; uploading works all the same.
 */
import type { Upload } from "./upload-state.ts";

export interface Remembered {
  upload: Upload;
  handle: FileSystemFileHandle | null;
}

const DATABASE = "mave-uploads";
const STORE = "uploads";

let opening: Promise<IDBDatabase | null> | undefined;

export async function remember(remembered: Remembered): Promise<void> {
  await run("readwrite", (store) => store.put({ ...remembered, id: remembered.upload.id }));
}

export async function forget(id: string): Promise<void> {
  await run("readwrite", (store) => store.delete(id));
}

export async function forgetAll(): Promise<void> {
  await run("readwrite", (store) => store.clear());
}

/** Unfinished uploads that no other tab is working on. */
export async function recall(): Promise<Remembered[]> {
  const all = (await run("readonly", (store) => store.getAll() as IDBRequest<Remembered[]>)) ?? [];
  const held = new Set((await navigator.locks?.query())?.held?.map(({ name }) => name));
  return all.filter(({ upload }) => !held.has(lockName(upload.id)));
}

/** Marks an upload as this tab's own for as long as the tab lives. Returns a function that lets go of it. */
export function claim(id: string): () => void {
  let release = () => {};
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  // Browsers offer locks on https and loopback only; elsewhere a second tab shows the upload as interrupted.
  navigator.locks?.request(lockName(id), { ifAvailable: true }, () => until);
  return release;
}

const lockName = (id: string) => `mave-upload-${id}`;

async function run<T>(
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T | undefined> {
  opening ??= open();
  const db = await opening;
  if (db === null) return undefined;
  return new Promise((resolve, reject) => {
    const request = work(db.transaction(STORE, mode).objectStore(STORE));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function open(): Promise<IDBDatabase | null> {
  return new Promise((resolve) => {
    try {
      const request = indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(null);
    } catch {
      resolve(null); // private windows of some browsers throw here
    }
  });
}
