import type { Log } from "../kernel/log.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import type { Exchange } from "../net/exchange.ts";
import type { Job } from "./lane.ts";
import type { Verdict } from "./outcome.ts";

/**
 * How loud an attempt is in the log: `warn` where nothing more is tried by itself, `info` where a receiver is in
 * trouble, `debug` where all is well, which is most lines by far.
 */
const LEVELS = { succeeded: "debug", retry: "info", failed: "warn" } as const satisfies Record<
  Verdict["outcome"],
  string
>;

/** One line an attempt. Neither its URL, which may hold a secret of the receiver's, nor a header, payload or response. */
export function logAttempt(log: Log, job: Job, { status, timings }: Exchange, { outcome, error }: Verdict): void {
  const level = LEVELS[outcome];
  if (!log.isLevelEnabled(level)) return;
  const ids = { webhook: shortUuid(job.webhook_id), delivery: shortUuid(job.id), attempt: job.attempt };
  log[level]({ ...ids, outcome, status, error: error?.word ?? null, ms: timings.total }, "attempt");
}
