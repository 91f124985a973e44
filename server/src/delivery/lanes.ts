import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import type { Database } from "../store/db.ts";
import type { LeasedDelivery } from "../store/queue/claim.ts";
import { type Lease, returnLeases } from "../store/queue/leases.ts";
import { Lane } from "./lane.ts";

interface LanesParts {
  db: Database;
  clock: Clock;
  log: Log;
  /** This node's number, or null while it has none. */
  node(): number | null;
}

/**
 * This node's lanes, and their combined state: which are ready, which are closed to new deliveries, and how many
 * deliveries are queued. Each lane reports its changes, so this state is never stale. Deliveries that cannot be sent in
 * time are returned to the database.
 */
export class Lanes {
  readonly #parts: LanesParts;
  readonly #lanes = new Map<string, Lane>();
  /**
   * The ready lanes, in the order in which they take turns. Each webhook appears once, however large its backlog is.
   */
  readonly #ready = new Set<Lane>();
  readonly #closed = new Set<string>();
  readonly #unsent: LeasedDelivery[] = [];
  #returning: Promise<unknown> = Promise.resolve();
  #queued = 0;
  #isStopped = false;

  constructor(parts: LanesParts) {
    this.#parts = parts;
  }

  get queued(): number {
    return this.#queued;
  }

  lease(): Lease | null {
    const { clock } = this.#parts;
    const node = this.#parts.node();
    if (this.#isStopped || node === null || this.#queued >= LIMITS.DELIVERIES_QUEUED_MAX) return null;
    return { node, lease_ms: LIMITS.LEASE_MS, leased_ms: clock.monotonic() };
  }

  closed(): string[] {
    return [...this.#closed];
  }

  add(delivery: LeasedDelivery): void {
    const lane = this.of(delivery.webhook_id);
    const isKept =
      !this.#isStopped && this.#parts.node() !== null && lane.restLeft_ms(delivery) <= LIMITS.WAIT_IN_MEMORY_MS;
    if (isKept) lane.add(delivery);
    else this.returnUnsent([delivery]);
  }

  of(webhook: string): Lane {
    const known = this.#lanes.get(webhook);
    if (known !== undefined) return known;
    const lane = new Lane(webhook, this.#parts.clock, (changed, queued) => this.#onChange(changed, queued));
    this.#lanes.set(webhook, lane);
    return lane;
  }

  /** Forgets a deleted webhook's lane once nothing is queued or in flight, so that the lanes do not accumulate. */
  forget(lane: Lane): void {
    if (!lane.isEmpty) return;
    this.#lanes.delete(lane.webhook);
    this.#ready.delete(lane);
    this.#closed.delete(lane.webhook);
  }

  #onChange(lane: Lane, queued: number): void {
    this.#queued += queued;
    if (lane.state === "ready") this.#ready.add(lane);
    else this.#ready.delete(lane);
    if (lane.isClosed) this.#closed.add(lane.webhook);
    else this.#closed.delete(lane.webhook);
  }

  all(): MapIterator<Lane> {
    return this.#lanes.values();
  }

  /**
   * Removes and returns the lane whose turn it is. If it is still ready after its next change, it is added to the end
   * of the list.
   */
  next(): Lane | undefined {
    for (const lane of this.#ready) {
      this.#ready.delete(lane);
      return lane;
    }
    return undefined;
  }

  /** Sends nothing but manual deliveries to this webhook until `until_ms` on the monotonic clock. */
  restUntil(lane: Lane, until_ms: number): void {
    lane.restUntil(until_ms);
    if (until_ms - this.#parts.clock.monotonic() > LIMITS.WAIT_IN_MEMORY_MS)
      this.returnUnsent(lane.clear({ manual: false }));
  }

  /**
   * Takes a rate-limit token for one attempt.
   * @returns how many ms to wait for the next token; 0 if a token was taken
   */
  takeToken(lane: Lane, perSecond: number | null): number {
    const wait_ms = lane.takeToken(perSecond);
    if (wait_ms > LIMITS.WAIT_IN_MEMORY_MS) this.returnUnsent(lane.clear({ manual: true }));
    return wait_ms;
  }

  /** Returns the leases of all unsent deliveries. */
  clear(): void {
    for (const lane of this.#lanes.values()) this.returnUnsent(lane.clear({ manual: true }));
  }

  /** Returns the leases of all unsent deliveries, and stops accepting deliveries. */
  stop(): void {
    this.#isStopped = true;
    this.clear();
  }

  /** Returns the leases of unsent deliveries, with one statement per turn of the event loop. */
  returnUnsent(deliveries: readonly LeasedDelivery[]): void {
    if (this.#unsent.length === 0 && deliveries.length > 0) this.#parts.clock.after(0, () => void this.flush());
    this.#unsent.push(...deliveries);
  }

  /**
   * Returns the leases of all deliveries passed to `returnUnsent` so far, and resolves once that is done. If a
   * statement fails, the leases expire on their own.
   */
  async flush(): Promise<void> {
    const { db, log } = this.#parts;
    const unsent = this.#unsent.splice(0);
    const ended = unsent.length === 0 ? undefined : returnLeases(db, unsent);
    const logged = ended?.catch((err: unknown) =>
      log.warn({ err }, "Failed to return unsent deliveries; their leases will expire"),
    );
    this.#returning = Promise.all([this.#returning, logged]);
    await this.#returning;
  }
}
