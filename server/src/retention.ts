import type { Clock } from "./clock.ts";
import { LIMITS } from "./limits.ts";
import type { Log } from "./log.ts";
import type { Database } from "./store/db.ts";
import { removeExpired } from "./store/expired.ts";
import { boundLockWait, dropPartitionsBefore, firstDayKept, makePartitions } from "./store/partitions.ts";
import { tryTurn } from "./store/turns.ts";

interface RetentionOptions {
  db: Database;
  clock: Clock;
  log: Log;
  /** Days that events, deliveries and attempts are kept. */
  days: number;
}

export interface Retention {
  /** Makes the partitions that are needed now, then goes on by itself every hour. */
  start(): Promise<void>;
  /** One round; another node's running round makes this one do nothing. */
  round(): Promise<void>;
  /** Ends after the round that runs, if one does. */
  stop(): Promise<void>;
}

/**
 * Keeps the time partitions: makes them ahead and drops those past retention. A day is kept as long as an open delivery
 * needs an event of it, however old: a webhook that was paused for longer than the retention still gets its events.
 */
export function createRetention({ db, clock, log, days }: RetentionOptions): Retention {
  let cancel = () => {};
  let running: Promise<void> = Promise.resolve();

  async function round(): Promise<void> {
    await db.transaction(async (tx) => {
      if (!(await tryTurn(tx, "retention"))) return;
      await boundLockWait(tx);
      const made = await makePartitions(tx, LIMITS.PARTITION_DAYS_AHEAD);
      const firstKept = await firstDayKept(tx, days);
      const dropped = await dropPartitionsBefore(tx, firstKept);
      await removeExpired(tx, firstKept, LIMITS.IDEMPOTENCY_KEPT_S);
      if (made + dropped > 0) log.info({ made, dropped, firstKept }, "partitions kept");
    });
  }

  function next(): void {
    cancel = clock.after(LIMITS.RETENTION_EVERY_MS, () => {
      running = round()
        .catch((error: unknown) => log.warn({ error }, "retention: this round failed; the next one tries again"))
        .then(next);
    });
  }

  return {
    async start() {
      await round();
      next();
    },
    round,
    async stop() {
      cancel();
      await running;
      cancel(); // what a round that has just ended scheduled
    },
  };
}
