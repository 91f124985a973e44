/** The ways an upload can fail, and whether each failure is retried. */
export type UploadError =
  | { kind: "offline" }
  | { kind: "stalled" }
  | { kind: "unreadable" }
  | { kind: "signed out" }
  /** The upload token has expired. Each attempt requests a new token. */
  | { kind: "token expired" }
  /** The server deletes a partial upload a day after its last byte. The next attempt starts at the first byte. */
  | { kind: "part expired" }
  /** Another connection has locked this upload or sent more data. The next attempt asks the server for the offset. */
  | { kind: "busy" }
  | { kind: "response"; status: number; detail: string | null; retryAfter_s: number | null };

export type RetryDecision = { retry: true; delay_ms: number; reason: string } | { retry: false; reason: string };

const DISK_FULL_DELAY_MS = 60_000;
const DELAY_MAX_MS = 60_000;

/** @param failures the number of consecutive failures, including this one */
export function decideRetry(error: UploadError, failures: number): RetryDecision {
  const delay_ms = backoff(failures);
  const delayAfterFirst_ms = failures === 1 ? 0 : delay_ms;
  switch (error.kind) {
    case "offline":
      return { retry: true, delay_ms, reason: "Connection lost." };
    case "stalled":
      return { retry: true, delay_ms, reason: "No data was sent for 30 s." };
    case "unreadable":
      return { retry: false, reason: "The file was changed, moved, or deleted. Choose it again." };
    case "signed out":
      return { retry: false, reason: "You are signed out. Sign in, then retry; progress is kept." };
    case "token expired":
      return { retry: true, delay_ms: delayAfterFirst_ms, reason: "The upload token was rejected." };
    case "part expired":
      return {
        retry: true,
        delay_ms: delayAfterFirst_ms,
        reason: "The partial upload expired after a day without progress.",
      };
    case "busy":
      return { retry: true, delay_ms, reason: "The previous connection is still open on the server." };
    case "response":
      return decideByStatus(error, delay_ms);
  }
}

function decideByStatus(
  { status, detail, retryAfter_s }: Extract<UploadError, { kind: "response" }>,
  backoff_ms: number,
): RetryDecision {
  const delay_ms = Math.max(backoff_ms, (retryAfter_s ?? 0) * 1000);
  if (status === 507)
    return { retry: true, delay_ms: Math.max(delay_ms, DISK_FULL_DELAY_MS), reason: "The server's disk is full." };
  if (status === 503) return { retry: true, delay_ms, reason: "The server is not ready." };
  if (status === 429) return { retry: true, delay_ms, reason: "The rate limit was reached." };
  if (status >= 500 || status === 408) return { retry: true, delay_ms, reason: `The server responded with ${status}.` };
  if (status === 409) return { retry: false, reason: detail ?? SUPERSEDED };
  if (status === 413) return { retry: false, reason: detail ?? "The file exceeds the server's upload limit." };
  if (status === 404) return { retry: false, reason: "The video was deleted." };
  return { retry: false, reason: detail ?? `The server rejected the file (${status}).` };
}

const SUPERSEDED =
  "This upload was replaced by a newer one, or expired after a day without progress. Retry to upload from the start.";

/** Returns 1, 2, 4, … 60 s. A lost connection usually recovers within seconds, but a failed server within minutes. */
function backoff(failures: number): number {
  return Math.min(DELAY_MAX_MS, 1000 * 2 ** Math.max(0, failures - 1));
}
