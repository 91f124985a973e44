import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import type { Database } from "../store/db.ts";
import { buryNode, countNodes, listGoneNodes } from "../store/nodes.ts";
import { databaseTime } from "../store/ping.ts";
import {
  cancelWebhookDeliveries,
  cutLongLeases,
  type DeliveryKey,
  endNodeLeases,
  listOrphans,
  releaseStranded,
} from "../store/queue/claim.ts";

interface SweeperParts {
  db: Database;
  clock: Clock;
  log: Log;
  lease_ms: number;
  /** No other process can be at this database: whoever had a number before is dead. */
  alone: boolean;
  /** This node's number. */
  node(): number | null;
  /** Something became due: claim it. */
  wake(): void;
}

/**
 * Repairs what a lost process or a jump of the database's clock left behind. Each node sweeps; the statements agree
 * among themselves, so that no leader is needed.
 */
export class Sweeper {
  readonly #parts: SweeperParts;
  #suspects: readonly number[] = [];
  #place: DeliveryKey | null = null;
  /** The database's clock at the last sweep; unknown at first, as after a step back. */
  #now_ms = Number.POSITIVE_INFINITY;
  #cutUntil_ms = 0;
  #nodes = 1;
  #stopped = true;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: SweeperParts) {
    this.#parts = parts;
  }

  /** How many nodes there were at the last sweep. */
  get nodes(): number {
    return this.#nodes;
  }

  /** Sweeps at once, then from time to time. */
  start(): void {
    this.#stopped = false;
    this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  #run(): void {
    if (this.#stopped) return;
    this.#running = this.sweep()
      .catch((err: unknown) => this.#parts.log.warn({ err }, "this sweep failed; the next one tries again"))
      .then(() => void this.#parts.clock.after(LIMITS.SWEEP_MS, () => this.#run()));
  }

  /** One round. */
  async sweep(): Promise<void> {
    const { db, log, wake } = this.#parts;
    const found = {
      stranded: await this.#releaseStranded(),
      ofGoneNodes: await this.#endLeasesOfGoneNodes(),
      tooLong: await this.#cutLongLeases(),
      orphaned: await this.#cancelOrphans(),
    };
    this.#nodes = await countNodes(db);
    if (Object.values(found).every((count) => count === 0)) return;
    log.info(found, "swept up deliveries that were left behind");
    wake();
  }

  /** Walks the waiting deliveries a slice at a time, on from where the last sweep stopped. */
  async #releaseStranded(): Promise<number> {
    let stranded = 0;
    for (let slice = 0; slice < LIMITS.SWEEP_SLICES_MAX; slice++) {
      const { freed, next } = await releaseStranded(this.#parts.db, this.#place, LIMITS.SWEEP_ROWS_MAX);
      stranded += freed;
      this.#place = next;
      if (next === null) break;
    }
    return stranded;
  }

  /**
   * A node is gone when its lock is free. It has to be free twice, a sweep apart: a living node that lost its connection
   * has it back sooner, and must not find its attempts made by another one meanwhile.
   */
  async #endLeasesOfGoneNodes(): Promise<number> {
    const self = this.#parts.node();
    if (self === null) return 0;
    const gone = await listGoneNodes(this.#parts.db, self);
    const certain = this.#parts.alone ? gone : gone.filter((node) => this.#suspects.includes(node));
    this.#suspects = gone;
    let ended = 0;
    for (const node of certain)
      ended += await this.#parts.db.transaction(async (tx) =>
        (await buryNode(tx, node)) ? endNodeLeases(tx, node) : 0,
      );
    return ended;
  }

  /**
   * Leases are too long only after the database's clock was set back. To look for them is to walk the whole queue: so it
   * is done then, for as long as a statement of before may still commit.
   */
  async #cutLongLeases(): Promise<number> {
    const { db, lease_ms } = this.#parts;
    const now_ms = await databaseTime(db);
    if (now_ms < this.#now_ms) this.#cutUntil_ms = now_ms + lease_ms;
    this.#now_ms = now_ms;
    return now_ms < this.#cutUntil_ms ? cutLongLeases(db, lease_ms) : 0;
  }

  /** An event that was recorded while a webhook was being deleted may have left a delivery for it. */
  async #cancelOrphans(): Promise<number> {
    const orphans = await listOrphans(this.#parts.db);
    for (const { space_id, webhook_id } of orphans)
      await cancelWebhookDeliveries(this.#parts.db, space_id, webhook_id, "Its webhook was deleted.");
    return orphans.length;
  }
}
