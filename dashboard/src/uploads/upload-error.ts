/** What broke an upload, and what that means: try again (when, why) or give up (why). Pure. */
export type Fault =
  | { kind: "offline" }
  | { kind: "stalled" }
  | { kind: "unreadable" }
  | { kind: "signed out" }
  /** The upload token has run out: the next try brings a new one. */
  | { kind: "token expired" }
  /** The server keeps a part for a day; the next try begins at the first byte. */
  | { kind: "part expired" }
  /** Another connection of this upload still holds it, or has moved it on: the next try asks where it is. */
  | { kind: "busy" }
  | { kind: "answered"; status: number; detail: string | null; retryAfter_s: number | null };

export type Verdict = { again: true; after_ms: number; why: string } | { again: false; after_ms?: never; why: string };

const FULL_AFTER_MS = 60_000;
const LONGEST_MS = 60_000;

/** @param tries failures in a row, this one included */
export function verdict(fault: Fault, tries: number): Verdict {
  switch (fault.kind) {
    case "offline":
      return { again: true, after_ms: backoff(tries), why: "Connection lost." };
    case "stalled":
      return { again: true, after_ms: backoff(tries), why: "No byte has moved for 30 s." };
    case "unreadable":
      return {
        again: false,
        why: "The file cannot be read any more. It was changed, moved or deleted; choose it again.",
      };
    case "signed out":
      return { again: false, why: "You are signed out. Sign in, then try again; nothing is lost." };
    case "token expired":
      return {
        again: true,
        after_ms: tries === 1 ? 0 : backoff(tries),
        why: "The server did not take the upload token.",
      };
    case "part expired":
      return {
        again: true,
        after_ms: tries === 1 ? 0 : backoff(tries),
        why: "The server kept the first part for a day only.",
      };
    case "busy":
      return { again: true, after_ms: backoff(tries), why: "The server is still busy with the last connection." };
    case "answered":
      return answered(fault, tries);
  }
}

function answered({ status, detail, retryAfter_s }: Extract<Fault, { kind: "answered" }>, tries: number): Verdict {
  const patience = Math.max(backoff(tries), (retryAfter_s ?? 0) * 1000);
  if (status === 507)
    return { again: true, after_ms: Math.max(patience, FULL_AFTER_MS), why: "The server's disk is full." };
  if (status === 503) return { again: true, after_ms: patience, why: "The server is not ready." };
  if (status === 429) return { again: true, after_ms: patience, why: "The server asks for a pause." };
  if (status >= 500 || status === 408)
    return { again: true, after_ms: patience, why: `The server answered ${status}.` };
  if (status === 409) return { again: false, why: detail ?? OVER };
  if (status === 413) return { again: false, why: detail ?? "The file is larger than this server accepts." };
  if (status === 404) return { again: false, why: "The video was deleted, so there is nothing to upload to." };
  return { again: false, why: detail ?? `The server refused the file (${status}).` };
}

const OVER =
  "This upload is over: a newer one to the same video has begun, or it lay still for a day. Trying again sends it from the start.";

/** 1, 2, 4 … 60 s: a cable comes back in seconds, a server in minutes. */
function backoff(tries: number): number {
  return Math.min(LONGEST_MS, 1000 * 2 ** Math.max(0, tries - 1));
}
