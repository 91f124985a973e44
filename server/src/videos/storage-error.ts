import { MaveError } from "../kernel/errors.ts";

/** A full disk is an expected failure with a status of its own; everything else stays what it is. */
export function storageError(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG") return new MaveError("STORAGE_FULL");
  if (code === "ERR_STREAM_PREMATURE_CLOSE" || code === "ECONNRESET")
    return new MaveError("REQUEST_MALFORMED", "The connection broke off before the whole file was received.");
  return error;
}
