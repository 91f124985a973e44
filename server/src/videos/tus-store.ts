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
import { WRITE_BYTES } from "./receive-file.ts";
import { storageError } from "./storage-error.ts";
import { OVER, type Uploads } from "./upload.ts";

/**
 * tus' own store of files, with our rows as its memory: no second record that could disagree.
 * Beyond it: a part expires a day after its last byte, not its first; a finished upload still says that it is whole
 * (its part has moved on, and a client that missed the last response asks); a full disk is told from other failures.
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
    else if (row.state !== "receiving" || (await this.#movedOn(id))) upload.offset = row.size_bytes ?? 0;
    else throw ERRORS.FILE_NO_LONGER_EXISTS;
    upload.creation_date = (part?.mtime ?? row.created_at).toISOString();
    return upload;
  }

  /** Killed between the move and the row: the reconciler is about to say so. */
  async #movedOn(id: string): Promise<boolean> {
    return (await stat(join(this.#uploads.folders.originals, id)).catch(() => null)) !== null;
  }

  override async write(stream: Readable, id: string, offset: number): Promise<number> {
    const row = await this.#uploads.get(id);
    if (row?.state !== "receiving" && row?.size_bytes === offset) return offset; // an empty PATCH at its end
    const file = createWriteStream(join(this.directory, id), {
      flags: "r+",
      start: offset,
      highWaterMark: WRITE_BYTES,
    });
    try {
      await pipeline(stream, file);
    } catch (error) {
      // Canceled since it was looked at, and its part removed.
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
