import { LIMITS } from "../kernel/limits.ts";
import type { LoopParts } from "../kernel/loop.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import type { Database } from "../store/db.ts";
import { storeFailure } from "../store/failures.ts";
import type { LeasedDelivery } from "../store/queue/claim.ts";
import { type Settlement, settleAttempts } from "../store/queue/settle.ts";

/** A settled batch. */
export interface SettledBatch {
  deliveries: { delivery: LeasedDelivery; settlement: Settlement }[];
  /** Settlements that changed nothing because their leases were lost. */
  lost: Settlement[];
  /** When the statement began, on the monotonic clock. Leases that the statement renewed start at this time. */
  begun_ms: number;
}

interface SettleBatchesParts extends LoopParts {
  db: Database;
  onSettled(batch: SettledBatch): void;
  /** Called with the duration of each settle. */
  onSettle(duration_ms: number): void;
}

/** What an attempt is stored with if its request or response cannot be stored. */
const NO_DETAILS = {
  ...{ timings: null, request_headers: null, response_headers: null, response_body: null, response_bytes: null },
  note: "The details of this attempt could not be stored.",
};

/**
 * Settles attempts in batches, one batch at a time. A batch starts as soon as SETTLE_BATCH_MAX attempts are waiting, or
 * after SETTLE_LINGER_MS. While the database is unavailable, a batch is kept and retried. If a lease expires in the
 * meantime, settling its attempt changes nothing.
 */
export class SettleBatches {
  readonly #parts: SettleBatchesParts;
  readonly #waiting: SettledBatch["deliveries"] = [];
  readonly #whenIdle: (() => void)[] = [];
  #writing = 0;
  #isLingering = false;

  constructor(parts: SettleBatchesParts) {
    this.#parts = parts;
  }

  add(delivery: LeasedDelivery, settlement: Settlement): void {
    this.#waiting.push({ delivery, settlement });
    if (this.#waiting.length >= LIMITS.SETTLE_BATCH_MAX) this.#write();
    else this.#linger();
  }

  /** How many settlements have not been committed to the database yet. */
  get pending(): number {
    return this.#waiting.length + this.#writing;
  }

  /** Settles everything that is pending. Resolves when nothing is left, or after `patience_ms`. */
  async flush(patience_ms: number): Promise<void> {
    if (this.pending === 0) return;
    this.#write();
    await new Promise<void>((resolve) => {
      this.#whenIdle.push(resolve);
      this.#parts.clock.after(patience_ms, resolve);
    });
  }

  #linger(): void {
    if (this.#isLingering || this.#writing > 0) return;
    this.#isLingering = true;
    this.#parts.clock.after(LIMITS.SETTLE_LINGER_MS, () => {
      this.#isLingering = false;
      this.#write();
    });
  }

  #write(): void {
    if (this.#writing > 0 || this.#waiting.length === 0) return;
    const deliveries = this.#waiting.splice(0, LIMITS.SETTLE_BATCH_MAX);
    this.#writing = deliveries.length;
    void this.#settle(deliveries).then((batch) => this.#written(batch));
  }

  async #settle(deliveries: SettledBatch["deliveries"]): Promise<SettledBatch | null> {
    const { db, clock, log, watchdog } = this.#parts;
    const begun_ms = clock.monotonic();
    try {
      const settlements = deliveries.map(({ settlement }) => settlement);
      const settling = settleAttempts(db, settlements, LIMITS.LEASE_MS);
      const lost = await watchdog.during("settle", LIMITS.LOOP_ROUND_MS, settling);
      this.#parts.onSettle(clock.monotonic() - begun_ms);
      return { deliveries, begun_ms, lost };
    } catch (err) {
      if (storeFailure(err) === null) return this.#settleEach(deliveries, err);
      log.warn({ err, attempts: deliveries.length }, "Settle failed; retrying");
      this.#waiting.unshift(...deliveries);
      return null;
    }
  }

  /** Settles each attempt alone after the batch failed because of its content, so that one attempt cannot stop the node. */
  async #settleEach(deliveries: SettledBatch["deliveries"], err: unknown): Promise<SettledBatch | null> {
    if (deliveries.length === 1) return this.#settleWithoutDetails(deliveries[0]!, err);
    const batches: SettledBatch[] = [];
    for (const one of deliveries) {
      const batch = await this.#settle([one]);
      if (batch !== null) batches.push(batch);
    }
    if (batches.length === 0) return null;
    return {
      deliveries: batches.flatMap((batch) => batch.deliveries),
      lost: batches.flatMap((batch) => batch.lost),
      begun_ms: Math.min(...batches.map((batch) => batch.begun_ms)),
    };
  }

  /** If even this fails, the lease expires and the delivery is sent again. */
  async #settleWithoutDetails(one: SettledBatch["deliveries"][number], err: unknown): Promise<SettledBatch> {
    const { db, clock, log } = this.#parts;
    const { delivery, settlement } = one;
    const ids = {
      webhook: shortUuid(delivery.webhook_id),
      delivery: shortUuid(delivery.id),
      attempt: delivery.attempt,
    };
    log.error({ err, ...ids }, "Failed to store an attempt; storing it without the request and the response");
    const bare = { ...settlement, ...NO_DETAILS };
    const [begun_ms, deliveries] = [clock.monotonic(), [{ delivery, settlement: bare }]];
    try {
      return { deliveries, begun_ms, lost: await settleAttempts(db, [bare], LIMITS.LEASE_MS) };
    } catch (error) {
      log.error({ err: error, ...ids }, "Failed to store an attempt; its delivery will be sent again");
      return { deliveries, begun_ms, lost: [bare] };
    }
  }

  #written(batch: SettledBatch | null): void {
    this.#writing = 0;
    if (batch === null) return void this.#parts.clock.after(LIMITS.SETTLE_RETRY_MS, () => this.#write());
    this.#parts.onSettled(batch);
    if (this.#waiting.length >= LIMITS.SETTLE_BATCH_MAX) this.#write();
    else if (this.#waiting.length > 0) this.#linger();
    else for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}
