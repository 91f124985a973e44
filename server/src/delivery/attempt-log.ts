import type { Log } from "../kernel/log.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import type { Exchange } from "../net/exchange.ts";
import type { LeasedDelivery } from "../store/queue/claim.ts";
import type { Outcome } from "./outcome.ts";

/**
 * How loud an attempt is in the log: `warn` where nothing more is tried by itself, `info` where a receiver is in
 * trouble, `debug` where all is well, which is most lines by far.
 */
const LEVELS = { succeeded: "debug", retry: "info", failed: "warn" } as const satisfies Record<
  Outcome["result"],
  string
>;

/** One line an attempt. Neither its URL, which may hold a secret of the receiver's, nor a header, payload or response. */
export function logAttempt(
  log: Log,
  job: LeasedDelivery,
  { status, timings }: Exchange,
  { result, error }: Outcome,
): void {
  const level = LEVELS[result];
  if (!log.isLevelEnabled(level)) return;
  const ids = { webhook: shortUuid(job.webhook_id), delivery: shortUuid(job.id), attempt: job.attempt };
  log[level]({ ...ids, outcome: result, status, error: error?.word ?? null, ms: timings.total }, "attempt");
}
