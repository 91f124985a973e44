/**
 * What a failed statement means for the one who asked: the database is away, its disk is full, or (null) a bug.
 * Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function storeFailure(error: unknown): "STORE_UNAVAILABLE" | "STORAGE_FULL" | null {
  if (!(error instanceof Error)) return null;
  const { code = "" } = error as { code?: string };
  if (code === "53100" || code === "ENOSPC" || code === "EDQUOT") return "STORAGE_FULL";
  if (AWAY.test(code)) return "STORE_UNAVAILABLE";
  return LOST_CONNECTION.test(error.message) ? "STORE_UNAVAILABLE" : null;
}

/**
 * 08 connection, 53 no resources left, 57P shutting down or starting, 57014 stopped by statement_timeout, 55P03 a lock
 * not had in time, 25006 a standby, 40001 and 40P01 another transaction went first; and the socket's own.
 */
const AWAY =
  /^(?:08...|53[23]00|53400|57P0.|57014|55P03|25006|40001|40P01|ECONNREFUSED|ECONNRESET|ENOENT|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/;

/** What the driver says without a code. */
const LOST_CONNECTION =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Cannot use a pool after calling end|Client was closed)/;
