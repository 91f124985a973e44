import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import type { Signals } from "../kernel/signals.ts";
import type { Watchdog } from "../kernel/watchdog.ts";
import type { Database } from "../store/db.ts";
import { retryEarly } from "../store/queue/retry-early.ts";
import { setWaitsUntil } from "../store/webhooks.ts";
import type { Target } from "./targets.ts";

interface RecoveryParts {
  db: Database;
  log: Log;
  signals: Signals;
  watchdog: Watchdog;
  /** Called when retries of this webhook (UUID) have become due. */
  onRetriesDue(webhook: string): void;
}

/**
 * Saves what a response says about its webhook as a whole: that the receiver asked to wait, or that it has recovered.
 * Other nodes and the dashboard read this from the database. No delivery waits for these changes. If one of them fails,
 * the deliveries keep their schedule.
 */
export class Recovery {
  readonly #parts: RecoveryParts;
  readonly #running = new Set<Promise<void>>();

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
  }

  /** Saves that the receiver asked to wait for `rest_ms`; 0 if that no longer applies. */
  rest({ space, webhook }: Target, rest_ms: number): void {
    const { db, log } = this.#parts;
    const saving = setWaitsUntil(db, space, webhook, rest_ms).then((changed) => {
      if (changed) this.#signal(space, webhook);
    });
    this.#start(saving, (err) =>
      log.warn({ err, webhook: shortUuid(webhook) }, "Failed to save a receiver's Retry-After"),
    );
  }

  /** Makes the webhook's retries due now, because its receiver works again. */
  retryEarly({ space, webhook }: Target): void {
    const { db, log, onRetriesDue } = this.#parts;
    const about = { webhook: shortUuid(webhook) };
    const retrying = retryEarly(db, webhook, { repeatedly: false, max: LIMITS.RETRIES_ROWS_MAX }).then((retries) => {
      if (retries === 0) return;
      log.info({ ...about, retries }, "Webhook recovered; its retries are due now");
      onRetriesDue(webhook);
      this.#signal(space, webhook);
    });
    const failed = (err: unknown) =>
      log.warn({ err, ...about }, "Failed to make a recovered webhook's retries due; they keep their schedule");
    this.#start(retrying, failed);
  }

  /** Resolves once every change started so far has ended. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }

  #signal(space: string, webhook: string): void {
    this.#parts.signals.emit("webhook", { space, webhook: shortUuid(webhook) });
  }

  #start(change: Promise<void>, onError: (error: unknown) => void): void {
    const watched = this.#parts.watchdog.during("recovery", LIMITS.LOOP_ROUND_MS, change);
    const running = watched.catch(onError).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }
}
