import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import type { Database } from "../store/db.ts";
import { removeExpired } from "../store/expired.ts";
import { boundLockWait, dropPartition, firstDayKept, makePartitions, partitionsBefore } from "../store/partitions.ts";
import { tryTurn } from "../store/turns.ts";

interface RetentionOptions {
  db: Database;
  clock: Clock;
  log: Log;
  /** Days that events, deliveries and attempts are kept. */
  days: number;
}

export interface Retention {
  /** Makes the partitions that are needed now, then goes on by itself: every hour, sooner where a round failed. */
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
    const mine = await makeAhead();
    if (mine) await dropOld();
  }

  /** @returns false where another node has the turn */
  function makeAhead(): Promise<boolean> {
    return db.transaction(async (tx) => {
      if (!(await tryTurn(tx, "retention"))) return false;
      await boundLockWait(tx);
      const made = await makePartitions(tx, LIMITS.PARTITION_DAYS_AHEAD);
      await removeExpired(tx, await firstDayKept(tx, days), LIMITS.IDEMPOTENCY_KEPT_S);
      if (made > 0) log.info({ made }, "partitions made");
      return true;
    });
  }

  // One transaction each: dropping stops the writers of its table, so it must not last as long as the whole round.
  async function dropOld(): Promise<void> {
    for (const old of await partitionsBefore(db, await firstDayKept(db, days))) {
      const dropped = await db.transaction(async (tx) => {
        if (!(await tryTurn(tx, "retention"))) return false;
        await boundLockWait(tx);
        return dropPartition(tx, old, days);
      });
      if (dropped) log.info(old, "partition dropped");
    }
  }

  /** A round that cannot have its lock is no reason not to serve: there are partitions ahead, and a default one. */
  const tryRound = (): Promise<number> =>
    round().then(
      () => LIMITS.RETENTION_INTERVAL_MS,
      (error: unknown) => {
        log.warn({ err: error }, "retention: this round failed; it is tried again soon");
        return LIMITS.RETENTION_RETRY_MS;
      },
    );

  function next(wait_ms: number): void {
    cancel = clock.after(wait_ms, () => {
      running = tryRound().then(next);
    });
  }

  return {
    async start() {
      running = tryRound().then(next);
      await running;
    },
    round,
    async stop() {
      cancel();
      await running;
      cancel(); // what a round that has just ended scheduled
    },
  };
}
