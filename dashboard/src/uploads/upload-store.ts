/**
 * Keeps unfinished uploads across reloads in this browser's IndexedDB: the file's name, the server's URL for the
 * partial upload and, in Chromium, a handle to the file. File contents are never stored. An upload is deleted from the
 * store once the server has the whole file. If storage is blocked, nothing is saved, but uploading still works.
 */
import type { Upload } from "./upload-state.ts";

export interface StoredUpload {
  upload: Upload;
  handle: FileSystemFileHandle | null;
}

const DATABASE = "mave-uploads";
const STORE = "uploads";

let database: Promise<IDBDatabase | null> | undefined;

export async function saveUpload(stored: StoredUpload): Promise<void> {
  await run("readwrite", (store) => store.put({ ...stored, id: stored.upload.id }));
}

export async function deleteUpload(id: string): Promise<void> {
  await run("readwrite", (store) => store.delete(id));
}

export async function deleteAllUploads(): Promise<void> {
  await run("readwrite", (store) => store.clear());
}

/** Returns unfinished uploads that no other tab has locked. */
export async function loadUploads(): Promise<StoredUpload[]> {
  const all = (await run("readonly", (store) => store.getAll() as IDBRequest<StoredUpload[]>)) ?? [];
  const locked = new Set((await navigator.locks?.query())?.held?.map(({ name }) => name));
  return all.filter(({ upload }) => !locked.has(lockName(upload.id)));
}

/** Locks an upload to this tab until the tab closes or the returned function is called. */
export function lockUpload(id: string): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  // Browsers offer locks only on HTTPS and loopback. Elsewhere, a second tab shows this upload as interrupted.
  navigator.locks?.request(lockName(id), { ifAvailable: true }, () => promise);
  return resolve;
}

const lockName = (id: string) => `mave-upload-${id}`;

async function run<T>(
  mode: IDBTransactionMode,
  work: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T | undefined> {
  database ??= openDatabase();
  const db = await database;
  if (db === null) return undefined;
  return new Promise((resolve, reject) => {
    const request = work(db.transaction(STORE, mode).objectStore(STORE));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function openDatabase(): Promise<IDBDatabase | null> {
  return new Promise((resolve) => {
    try {
      const request = indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(null);
    } catch {
      resolve(null); // some browsers throw an error in private windows
    }
  });
}
