import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";

/**
 * Where finished media are kept. Five functions, so that a local folder and an object store can both be it.
 * A key is `<video>/<folder>/<file>`; a blob never changes once it is there.
 */
export interface Blobs {
  /** Takes over a local file; once this returns, the blob outlives a power cut. */
  put(key: string, file: string): Promise<void>;
  /** The bytes from `start` to `end`, both included; null where there is no such blob. */
  getRange(key: string, start: number, end: number): Promise<Readable | null>;
  /** Null where there is no such blob. */
  head(key: string): Promise<{ bytes: number; modified: Date } | null>;
  /** Removes every blob below `prefix`, which ends with a slash. Repeating it does no harm. */
  deletePrefix(prefix: string): Promise<void>;
  publicUrl(key: string): string;
}

const SEGMENT = "[A-Za-z0-9][A-Za-z0-9._-]*";
const KEY = new RegExp(`^${SEGMENT}(/${SEGMENT}){0,3}$`);
const PREFIX = new RegExp(`^(${SEGMENT}/){1,3}$`);

/** Blobs in a folder of this machine. @param publicUrl where this server is reached */
export function createLocalBlobs({ folder, publicUrl }: { folder: string; publicUrl: string }): Blobs {
  const pathOf = (key: string) => (KEY.test(key) ? join(folder, key) : null);
  return {
    async put(key, file) {
      const path = pathOf(key);
      if (path === null) throw new Error(`not a blob's key: ${key}`);
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
      if (!PREFIX.test(prefix)) throw new Error(`not a prefix of blobs: ${prefix}`);
      await rm(join(folder, prefix), { recursive: true, force: true });
    },
    publicUrl: (key) => `${publicUrl}/media/${key}`,
  };
}

/** Makes a file's bytes, or a folder's names, outlive a power cut. */
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
