import { createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { FileStore } from "@tus/file-store";
import { ERRORS, Upload } from "@tus/server";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { UploadRow } from "../store/uploads.ts";
import { OVER, storageError, type Uploads } from "./upload.ts";
import { WRITE_BYTES } from "./upload-chunks.ts";

/**
 * The tus file store, with upload rows as its only metadata. It differs from its base class in three ways: a partial
 * file expires a day after its last byte was received, not its first; a finished upload still reports its full offset,
 * in case the client missed the last response; and a full disk results in its own API error.
 */
export class TusStore extends FileStore {
  readonly #uploads: Uploads;

  constructor(uploads: Uploads, declareSize: (id: string, size_bytes: number) => Promise<void>) {
    super({
      directory: uploads.folders.incoming,
      expirationPeriodInMilliseconds: LIMITS.UPLOAD_EXPIRES_MS,
      configstore: {
        get: async (id) => toUpload(await uploads.get(id)),
        set: async (id, { size }) => {
          if (size !== undefined) await declareSize(id, size);
        },
        delete: (id) => uploads.leave(id),
      },
    });
    this.#uploads = uploads;
  }

  override async getUpload(id: string): Promise<Upload> {
    const row = await this.#uploads.get(id);
    if (!row) throw ERRORS.FILE_NOT_FOUND;
    if (row.state === "canceled") throw new MaveError("UPLOAD_CONFLICT", OVER);
    const upload = toUpload(row)!;
    const part = await stat(join(this.directory, id)).catch(() => null);
    if (part) upload.offset = part.size;
    else if (row.state !== "receiving" || (await this.#isMoved(id))) upload.offset = row.size_bytes ?? 0;
    else throw ERRORS.FILE_NO_LONGER_EXISTS;
    upload.creation_date = (part?.mtime ?? row.created_at).toISOString();
    return upload;
  }

  /**
   * Returns whether the file has been moved. If the process was killed between moving the file and updating the row,
   * the janitor updates the row later.
   */
  async #isMoved(id: string): Promise<boolean> {
    return (await stat(join(this.#uploads.folders.originals, id)).catch(() => null)) !== null;
  }

  override async write(stream: Readable, id: string, offset: number): Promise<number> {
    const row = await this.#uploads.get(id);
    if (row?.state !== "receiving" && row?.size_bytes === offset) return offset; // an empty PATCH at the end of the file
    const file = createWriteStream(join(this.directory, id), {
      flags: "r+",
      start: offset,
      highWaterMark: WRITE_BYTES,
    });
    try {
      await pipeline(stream, file);
    } catch (error) {
      // The upload was canceled in the meantime, and its partial file was deleted.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") throw new MaveError("UPLOAD_CONFLICT", OVER);
      throw storageError(error);
    }
    return offset + file.bytesWritten;
  }
}

function toUpload(row: UploadRow | undefined): Upload | undefined {
  if (!row) return undefined;
  const { id, size_bytes, video_id, file_name, created_at } = row;
  const metadata = { video: video_id, ...(file_name === null ? {} : { filename: file_name }) };
  const size = size_bytes === null ? {} : { size: size_bytes };
  return new Upload({ id, ...size, offset: 0, metadata, creation_date: created_at.toISOString() });
}
