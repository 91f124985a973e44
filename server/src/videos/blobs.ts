import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";

/**
 * Storage for finished media. The interface is small enough to implement with a local folder or an object store. Keys
 * have the form `<video>/<folder>/<file>`, and blobs are immutable.
 */
export interface Blobs {
  /** Moves a local file into storage durably: once the promise resolves, the blob survives a power failure. */
  put(key: string, file: string): Promise<void>;
  /** Reads the bytes from `start` to `end`, both inclusive. Returns null if the blob does not exist. */
  getRange(key: string, start: number, end: number): Promise<Readable | null>;
  /** Returns null if the blob does not exist. */
  head(key: string): Promise<{ bytes: number; modified: Date } | null>;
  /** Deletes every blob under `prefix`, which must end with a slash. Idempotent. */
  deletePrefix(prefix: string): Promise<void>;
}

const SEGMENT = "[A-Za-z0-9][A-Za-z0-9._-]*";
const KEY = new RegExp(`^${SEGMENT}(/${SEGMENT}){0,3}$`);
const PREFIX = new RegExp(`^(${SEGMENT}/){1,3}$`);

/** Stores blobs in a local folder. */
export function createLocalBlobs({ folder }: { folder: string }): Blobs {
  const pathOf = (key: string) => (KEY.test(key) ? join(folder, key) : null);
  return {
    async put(key, file) {
      const path = pathOf(key);
      if (path === null) throw new Error(`invalid blob key: ${key}`);
      await mkdir(dirname(path), { recursive: true });
      await sync(file);
      await rename(file, path);
      await sync(dirname(path));
    },
    async getRange(key, start, end) {
      const path = pathOf(key);
      const handle = path === null ? null : await open(path).catch(unlessMissing);
      return handle === null ? null : createReadStream("", { fd: handle, start, end, highWaterMark: 256 * 1024 });
    },
    async head(key) {
      const path = pathOf(key);
      const found = path === null ? null : await stat(path).catch(unlessMissing);
      return found?.isFile() ? { bytes: found.size, modified: found.mtime } : null;
    },
    async deletePrefix(prefix) {
      if (!PREFIX.test(prefix)) throw new Error(`invalid blob prefix: ${prefix}`);
      await rm(join(folder, prefix), { recursive: true, force: true });
    },
  };
}

/** Flushes a file's bytes, or a folder's entries, to disk. */
export async function sync(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function unlessMissing(error: NodeJS.ErrnoException): null {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return null;
  throw error;
}
