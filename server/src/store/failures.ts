/**
 * What a failed statement means for its caller: the database is unreachable, its disk is full, or there is a bug
 * (null). Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function storeFailure(error: unknown): "STORE_UNAVAILABLE" | "STORAGE_FULL" | null {
  if (!(error instanceof Error)) return null;
  const { code = "" } = error as { code?: string };
  if (code === "53100" || code === "ENOSPC" || code === "EDQUOT") return "STORAGE_FULL";
  if (AWAY.test(code)) return "STORE_UNAVAILABLE";
  return LOST_CONNECTION.test(error.message) ? "STORE_UNAVAILABLE" : null;
}

/**
 * 08 connection, 53 insufficient resources, 57P shutting down or starting, 57014 statement_timeout, 55P03 lock timeout,
 * 25006 a standby, 40001 and 40P01 serialization failure and deadlock; and socket errors.
 */
const AWAY =
  /^(?:08...|53[23]00|53400|57P0.|57014|55P03|25006|40001|40P01|ECONNREFUSED|ECONNRESET|ENOENT|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/;

/** Driver messages that have no code. */
const LOST_CONNECTION =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Cannot use a pool after calling end|Client was closed)/;
