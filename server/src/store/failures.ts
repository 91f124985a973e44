/**
 * Returns what a failed statement means for its caller: the database is unavailable, its disk is full, or (null) there
 * is a bug. Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function storeFailure(error: unknown): "STORE_UNAVAILABLE" | "STORAGE_FULL" | null {
  if (!(error instanceof Error)) return null;
  const { code = "" } = error as { code?: string };
  if (code === "53100" || code === "ENOSPC" || code === "EDQUOT") return "STORAGE_FULL";
  if (AWAY.test(code)) return "STORE_UNAVAILABLE";
  return LOST_CONNECTION.test(error.message) ? "STORE_UNAVAILABLE" : null;
}

/**
 * Matches the PostgreSQL error classes 08 (connection errors), 53 (insufficient resources) and 57P (shutting down or
 * starting); the codes 57014 (statement timeout), 55P03 (lock timeout), 25006 (a standby), 40001 (serialization
 * failure) and 40P01 (deadlock); and the names of socket errors.
 */
const AWAY =
  /^(?:08...|53[23]00|53400|57P0.|57014|55P03|25006|40001|40P01|ECONNREFUSED|ECONNRESET|ENOENT|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/;

/** Messages of driver errors that have no code. */
const LOST_CONNECTION =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Cannot use a pool after calling end|Client was closed)/;
