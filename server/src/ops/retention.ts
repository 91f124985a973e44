import { LIMITS } from "../kernel/limits.ts";
import { Loop, type LoopParts } from "../kernel/loop.ts";
import type { Database } from "../store/db.ts";
import { removeExpired } from "../store/expired.ts";
import { boundLockWait, dropPartition, firstDayKept, makePartitions, partitionsBefore } from "../store/partitions.ts";
import { tryTurn } from "../store/turns.ts";

interface RetentionOptions extends LoopParts {
  db: Database;
  /** How many days to keep events, deliveries and attempts. */
  days: number;
}

export interface Retention {
  /** Runs a round, then another every hour, or sooner after a failed round. */
  start(): Promise<void>;
  /** Runs one round, unless another node is already running one. */
  round(): Promise<void>;
  /** Cancels the next round, and resolves once the current one has ended. */
  stop(): Promise<void>;
}

/**
 * Creates time partitions ahead of time and drops partitions older than the retention period. A day's partitions are
 * kept past the retention period while a pending delivery needs one of their events, so a webhook paused for longer
 * than that still receives its events.
 */
export function createRetention(options: RetentionOptions): Retention {
  const { db, log, days } = options;

  async function round(): Promise<void> {
    if (await createAhead()) await dropExpired();
  }

  /** @returns false if another node holds the lock */
  function createAhead(): Promise<boolean> {
    return db.transaction(async (tx) => {
      if (!(await tryTurn(tx, "retention"))) return false;
      await boundLockWait(tx);
      const created = await makePartitions(tx, LIMITS.PARTITION_DAYS_AHEAD);
      await removeExpired(tx, await firstDayKept(tx, days), LIMITS.IDEMPOTENCY_KEPT_S);
      if (created > 0) log.info({ created }, "Partitions created");
      return true;
    }, LIMITS.STATEMENT_LONG_MS);
  }

  // Use one transaction per partition, because dropping a partition blocks all writes to its table.
  async function dropExpired(): Promise<void> {
    for (const old of await partitionsBefore(db, await firstDayKept(db, days))) {
      const dropped = await db.transaction(async (tx) => {
        if (!(await tryTurn(tx, "retention"))) return false;
        await boundLockWait(tx);
        return dropPartition(tx, old, days);
      }, LIMITS.STATEMENT_LONG_MS);
      if (dropped) log.info(old, "Partition dropped");
    }
  }

  // A failed round does not prevent startup, because partitions already exist for the days ahead, and a default partition
  // stores all other rows.
  const loop = new Loop(options, {
    name: "retention",
    round,
    interval_ms: LIMITS.RETENTION_INTERVAL_MS,
    retry_ms: LIMITS.RETENTION_RETRY_MS,
    limit_ms: LIMITS.RETENTION_ROUND_MS,
    onError: (err) => log.warn({ err }, "Retention failed; retrying"),
  });

  return { start: () => loop.start(), round, stop: () => loop.stop() };
}
