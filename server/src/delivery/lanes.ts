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
  lease_ms: number;
  /** This node's number, or null while it has none. */
  node(): number | null;
}

/** Leases could expire during a longer wait, so a lane that has to wait longer than this releases its queue. */
const WAIT_IN_MEMORY_MS = 5_000;

/**
 * This node's lanes, and their combined state: which are ready, which are closed to new deliveries, and how many
 * deliveries are queued. Each lane reports its changes, so this state is never stale. Deliveries that cannot be sent in
 * time are returned to the database.
 */
export class Lanes {
  readonly #parts: LanesParts;
  readonly #lanes = new Map<string, Lane>();
  /**
   * The lanes that are ready, in the order of their turns. Each webhook appears once, whatever the size of its backlog.
   */
  readonly #ready = new Set<Lane>();
  readonly #closed = new Set<string>();
  readonly #unsent: LeasedDelivery[] = [];
  #releasing: Promise<unknown> = Promise.resolve();
  #queued = 0;
  #isStopped = false;

  constructor(parts: LanesParts) {
    this.#parts = parts;
  }

  get queued(): number {
    return this.#queued;
  }

  lease(): Lease | null {
    const { clock, lease_ms } = this.#parts;
    const node = this.#parts.node();
    if (this.#isStopped || node === null || this.#queued >= LIMITS.DELIVERIES_QUEUED_MAX) return null;
    return { node, lease_ms, leased_ms: clock.monotonic() };
  }

  closed(): string[] {
    return [...this.#closed];
  }

  add(delivery: LeasedDelivery): void {
    const lane = this.of(delivery.webhook_id);
    const isKept = !this.#isStopped && this.#parts.node() !== null && lane.restLeft_ms(delivery) <= WAIT_IN_MEMORY_MS;
    if (isKept) lane.add(delivery);
    else this.release([delivery]);
  }

  of(webhook: string): Lane {
    const known = this.#lanes.get(webhook);
    if (known !== undefined) return known;
    const lane = new Lane(webhook, this.#parts.clock, (changed, queued) => this.#onChange(changed, queued));
    this.#lanes.set(webhook, lane);
    return lane;
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

  /** Sends nothing but manual deliveries to this webhook for `rest_ms`. */
  rest(lane: Lane, rest_ms: number): void {
    lane.rest(rest_ms);
    if (rest_ms > WAIT_IN_MEMORY_MS) this.release(lane.clear({ manual: false }));
  }

  /**
   * Takes a rate-limit token for one attempt.
   * @returns how many ms to wait for the next token; 0 if a token was taken
   */
  takeToken(lane: Lane, perSecond: number | null): number {
    const wait_ms = lane.takeToken(perSecond);
    if (wait_ms > WAIT_IN_MEMORY_MS) this.release(lane.clear({ manual: true }));
    return wait_ms;
  }

  /** Releases all deliveries that have not been sent. */
  clear(): void {
    for (const lane of this.#lanes.values()) this.release(lane.clear({ manual: true }));
  }

  /** Releases all deliveries that have not been sent, and accepts no more. */
  stop(): void {
    this.#isStopped = true;
    this.clear();
  }

  /** Releases deliveries that have not been sent, with one statement per turn of the event loop. */
  release(deliveries: readonly LeasedDelivery[]): void {
    if (this.#unsent.length === 0 && deliveries.length > 0) this.#parts.clock.after(0, () => void this.flush());
    this.#unsent.push(...deliveries);
  }

  /**
   * Returns the leases of all deliveries passed to `release` so far, and resolves once that is done. If a statement
   * fails, its leases expire.
   */
  async flush(): Promise<void> {
    const { db, log } = this.#parts;
    const unsent = this.#unsent.splice(0);
    const ended = unsent.length === 0 ? undefined : returnLeases(db, unsent);
    const logged = ended?.catch((err: unknown) =>
      log.warn({ err }, "Failed to release unsent deliveries; leases will expire"),
    );
    this.#releasing = Promise.all([this.#releasing, logged]);
    await this.#releasing;
  }
}
