import { createWriteStream } from "node:fs";
import { finished, type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { MaveError } from "../kernel/errors.ts";
import { checkSize, storageError, type Uploads } from "./upload.ts";
import { noteChunk, WRITE_BYTES } from "./upload-chunks.ts";

/** A file sent as a single request body. */
export interface IncomingFile {
  stream: Readable;
  /** The declared size; null if unknown. */
  size_bytes: number | null;
  name: string | null;
}

/**
 * Receives a file for a video and queues it for processing. Incomplete files are deleted.
 * @throws NOT_FOUND, REQUEST_TOO_LARGE, UPLOAD_EMPTY, REQUEST_MALFORMED (incomplete), UPLOAD_CONFLICT, STORAGE_FULL
 */
export async function receiveFile(uploads: Uploads, space: string, video: string, file: IncomingFile): Promise<void> {
  const { stream, size_bytes, name } = file;
  const { id, path } = await uploads.begin(space, video, { resumable: false, name, size_bytes });
  try {
    const received = await writeFile(stream, path, uploads.maxBytes);
    if (size_bytes !== null && received !== size_bytes)
      throw new MaveError(
        "REQUEST_MALFORMED",
        `The body ended after ${received} of ${size_bytes} bytes. Send the file again.`,
      );
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
 * Streams the body into a file and returns its size. Throws if the body exceeds `maxBytes`. Pipes the source manually,
 * because `pipeline` would destroy the request when the disk is full, and the connection would hang with the rest of
 * the body unread.
 */
async function writeFile(stream: Readable, path: string, maxBytes: number): Promise<number> {
  let received = 0;
  const counter = new Transform({
    highWaterMark: WRITE_BYTES,
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length;
      noteChunk(chunk.length);
      if (received <= maxBytes) return done(null, chunk);
      done(new MaveError("REQUEST_TOO_LARGE", `The file is larger than the maximum of ${maxBytes} bytes.`));
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
