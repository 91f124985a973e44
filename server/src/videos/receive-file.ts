import { createWriteStream } from "node:fs";
import { finished, type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { MaveError } from "../kernel/errors.ts";
import { chunkPassed } from "./passing-chunks.ts";
import { storageError } from "./storage-error.ts";
import { checkSize, type Uploads } from "./upload.ts";

/** A file that arrives as the body of one request. */
export interface IncomingFile {
  stream: Readable;
  /** As the request declared it; null for a body of unknown length. */
  size_bytes: number | null;
  name: string | null;
}

/**
 * Receives a whole file for a video and queues it for processing. What breaks off leaves nothing behind.
 * Throws NOT_FOUND, REQUEST_TOO_LARGE, UPLOAD_EMPTY, REQUEST_MALFORMED (cut short), UPLOAD_CONFLICT, STORAGE_FULL.
 */
export async function receiveFile(uploads: Uploads, space: string, video: string, file: IncomingFile): Promise<void> {
  const { stream, size_bytes, name } = file;
  const { id, path } = await uploads.begin(space, video, { resumable: false, name, size_bytes });
  try {
    const received = await writeFile(stream, path, uploads.maxBytes);
    if (size_bytes !== null && received !== size_bytes)
      throw new MaveError("REQUEST_MALFORMED", `The body ended after ${received} of ${size_bytes} bytes.`);
    checkSize(received, uploads.maxBytes);
    await uploads.finish(id);
  } catch (error) {
    await uploads.leave(id);
    throw error;
  } finally {
    uploads.active.delete(id);
  }
}

/**
 * Streams into the part and returns its size; stops at `maxBytes`. Piped by hand: a pipeline would destroy the request
 * when the disk is full, and the connection would stand still with the rest of the body, and whatever follows it, unread.
 */
async function writeFile(stream: Readable, path: string, maxBytes: number): Promise<number> {
  let received = 0;
  const counter = new Transform({
    highWaterMark: WRITE_BYTES,
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length;
      chunkPassed(chunk.length);
      if (received <= maxBytes) return done(null, chunk);
      done(new MaveError("REQUEST_TOO_LARGE", `At most ${maxBytes} bytes are accepted.`));
    },
  });
  const unwatch = finished(stream, { writable: false }, (error) => error && counter.destroy(error));
  try {
    const file = createWriteStream(path, { mode: 0o600, highWaterMark: WRITE_BYTES });
    await pipeline(stream.pipe(counter), file);
  } catch (error) {
    throw storageError(error);
  } finally {
    unwatch();
    stream.unpipe(counter);
  }
  return received;
}

/** Chunks of the network are gathered into one write. */
export const WRITE_BYTES = 1024 * 1024;
