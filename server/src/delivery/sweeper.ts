import { LIMITS } from "../kernel/limits.ts";
import { Loop, type LoopParts } from "../kernel/loop.ts";
import type { Database } from "../store/db.ts";
import { countNodes, listUnlockedNodes, removeNode } from "../store/nodes.ts";
import { databaseTime } from "../store/ping.ts";
import { cancelWebhookDeliveries, listOrphans } from "../store/queue/cancel.ts";
import type { DeliveryKey } from "../store/queue/key.ts";
import { expireNodeLeases, shortenLongLeases } from "../store/queue/leases.ts";
import { releaseStranded } from "../store/queue/release.ts";

interface SweeperParts extends LoopParts {
  db: Database;
  /** Whether no other process can use this database, so that every other node is dead. */
  alone: boolean;
  /** This node's number. */
  node(): number | null;
  /** Called when deliveries have become due and should be claimed. */
  wake(): void;
}

/**
 * Repairs the state left behind by killed processes and by jumps in the database clock. Every node runs a sweeper. The
 * statements are safe to run concurrently, so no leader is needed.
 */
export class Sweeper {
  readonly #parts: SweeperParts;
  /** Nodes whose lock was free during the last sweep. */
  #unlocked: readonly number[] = [];
  #place: DeliveryKey | null = null;
  /** The database's time at the last sweep. The first sweep behaves as if the clock had been set back. */
  #now_ms = Number.POSITIVE_INFINITY;
  #shortenUntil_ms = 0;
  #nodes = 1;
  readonly #loop: Loop;

  constructor(parts: SweeperParts) {
    this.#parts = parts;
    this.#loop = new Loop(parts, {
      name: "sweep",
      round: () => this.sweep(),
      interval_ms: LIMITS.SWEEP_MS,
      onError: (err) => parts.log.warn({ err }, "Sweep failed; retrying"),
    });
  }

  /** The number of nodes as of the last sweep. */
  get nodes(): number {
    return this.#nodes;
  }

  /** Sweeps immediately, then every SWEEP_MS. */
  start(): void {
    void this.#loop.start();
  }

  /** Resolves once the current sweep has ended. */
  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async sweep(): Promise<void> {
    const { db, log, wake } = this.#parts;
    const repaired = {
      stranded: await this.#releaseStranded(),
      leases_of_dead_nodes: await this.#expireLeasesOfDeadNodes(),
      leases_too_long: await this.#shortenLongLeases(),
      orphaned: await this.#cancelOrphans(),
    };
    this.#nodes = await countNodes(db);
    if (Object.values(repaired).every((count) => count === 0)) return;
    log.info(repaired, "Repaired deliveries left behind by a dead process or a clock change");
    wake();
  }

  /** Releases stranded deliveries. Walks the blocked deliveries in slices, starting where the last sweep stopped. */
  async #releaseStranded(): Promise<number> {
    let stranded = 0;
    for (let slice = 0; slice < LIMITS.SWEEP_SLICES_MAX; slice++) {
      const { released, next } = await releaseStranded(this.#parts.db, this.#place, LIMITS.SWEEP_ROWS_MAX);
      stranded += released;
      this.#place = next;
      if (next === null) break;
    }
    return stranded;
  }

  /**
   * If two consecutive sweeps find a node's lock free, the node is presumed dead and its leases expire. One sweep is
   * not enough, because a live node that loses its connection reacquires its lock before the second sweep, and other
   * nodes must not repeat its attempts in flight.
   */
  async #expireLeasesOfDeadNodes(): Promise<number> {
    const self = this.#parts.node();
    if (self === null) return 0;
    const unlocked = await listUnlockedNodes(this.#parts.db, self);
    const dead = this.#parts.alone ? unlocked : unlocked.filter((node) => this.#unlocked.includes(node));
    this.#unlocked = unlocked;
    let expired = 0;
    for (const node of dead)
      expired += await this.#parts.db.transaction(async (tx) =>
        (await removeNode(tx, node)) ? expireNodeLeases(tx, node) : 0,
      );
    return expired;
  }

  /**
   * Shortens overlong leases, which exist only after the database clock is set back. Finding them requires reading the
   * whole queue, so this runs only after the clock is set back, and for long enough that every statement that read the
   * old time has committed.
   */
  async #shortenLongLeases(): Promise<number> {
    const { db } = this.#parts;
    const now_ms = await databaseTime(db);
    if (now_ms < this.#now_ms) this.#shortenUntil_ms = now_ms + LIMITS.LEASE_MS;
    this.#now_ms = now_ms;
    return now_ms < this.#shortenUntil_ms ? shortenLongLeases(db, LIMITS.LEASE_MS) : 0;
  }

  /**
   * Cancels the remaining deliveries of deleted webhooks. A delivery can remain if its event is recorded while the
   * webhook is being deleted.
   */
  async #cancelOrphans(): Promise<number> {
    const orphans = await listOrphans(this.#parts.db);
    for (const { space_id, webhook_id } of orphans)
      await cancelWebhookDeliveries(this.#parts.db, space_id, webhook_id, "Its webhook was deleted.");
    return orphans.length;
  }
}
