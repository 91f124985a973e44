import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import type { Database } from "../store/db.ts";
import type { LeasedDelivery } from "../store/queue/claim.ts";
import { type Settlement, settleAttempts } from "../store/queue/settle.ts";
import type { EngineMeter } from "./dispatcher-parts.ts";

export interface Entry {
  job: LeasedDelivery;
  settlement: Settlement;
}

/** What a batch came to. `begun_ms`: when its statement began, on the monotonic clock: leases it gave begin there. */
export interface SettledBatch {
  entries: Entry[];
  lost: Settlement[];
  begun_ms: number;
}

interface SettlerParts {
  db: Database;
  clock: Clock;
  log: Log;
  lease_ms: number;
  meter: EngineMeter | undefined;
  onSettled(batch: SettledBatch): void;
}

/**
 * Writes the outcomes of attempts in batches: as soon as SETTLE_BATCH_MAX have come together or SETTLE_LINGER_MS have
 * passed, one batch at a time. While the database is away a batch is kept and tried again; what was answered is not
 * forgotten, and a lease that ends meanwhile makes the settle find nothing.
 */
export class Settler {
  readonly #parts: SettlerParts;
  readonly #waiting: Entry[] = [];
  readonly #idle: (() => void)[] = [];
  #writing = 0;
  #lingering = false;

  constructor(parts: SettlerParts) {
    this.#parts = parts;
  }

  add(entry: Entry): void {
    this.#waiting.push(entry);
    if (this.#waiting.length >= LIMITS.SETTLE_BATCH_MAX) this.#write();
    else this.#linger();
  }

  /** How many answers are not in the database yet. */
  get pending(): number {
    return this.#waiting.length + this.#writing;
  }

  /** Resolves when nothing is pending, or after `patience_ms`. */
  async flush(patience_ms: number): Promise<void> {
    if (this.pending === 0) return;
    this.#write();
    await new Promise<void>((resolve) => {
      this.#idle.push(resolve);
      this.#parts.clock.after(patience_ms, resolve);
    });
  }

  #linger(): void {
    if (this.#lingering || this.#writing > 0) return;
    this.#lingering = true;
    this.#parts.clock.after(LIMITS.SETTLE_LINGER_MS, () => {
      this.#lingering = false;
      this.#write();
    });
  }

  #write(): void {
    if (this.#writing > 0 || this.#waiting.length === 0) return;
    const entries = this.#waiting.splice(0, LIMITS.SETTLE_BATCH_MAX);
    this.#writing = entries.length;
    void this.#settle(entries).then((batch) => this.#written(batch));
  }

  async #settle(entries: Entry[]): Promise<SettledBatch | null> {
    const { db, clock, log, meter, lease_ms } = this.#parts;
    const begun_ms = clock.monotonic();
    try {
      const settlements = entries.map(({ settlement }) => settlement);
      const lost = await settleAttempts(db, settlements, lease_ms);
      meter?.settled(clock.monotonic() - begun_ms);
      return { entries, begun_ms, lost };
    } catch (err) {
      log.warn({ err, attempts: entries.length }, "the outcomes of attempts could not be written; trying again");
      this.#waiting.unshift(...entries);
      return null;
    }
  }

  #written(batch: SettledBatch | null): void {
    this.#writing = 0;
    if (batch === null) return void this.#parts.clock.after(LIMITS.SETTLE_RETRY_MS, () => this.#write());
    this.#parts.onSettled(batch);
    if (this.#waiting.length >= LIMITS.SETTLE_BATCH_MAX) this.#write();
    else if (this.#waiting.length > 0) this.#linger();
    else for (const resolve of this.#idle.splice(0)) resolve();
  }
}
