import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import type { Database } from "../store/db.ts";
import { claimDue, type LeasedDelivery, listDueWebhooks } from "../store/queue/claim.ts";
import type { VideoKey } from "../store/queue/key.ts";
import type { Lease } from "../store/queue/leases.ts";
import { releaseNext } from "../store/queue/release.ts";
import type { EngineMeter } from "./dispatcher-parts.ts";
import type { Lane } from "./lane.ts";

interface ClaimsParts {
  db: Database;
  clock: Clock;
  log: Log;
  meter: EngineMeter | undefined;
  lanes: ReadonlyMap<string, Lane>;
  laneOf(webhook: string): Lane;
  /** Whether this lane is closed may have changed. */
  note(lane: Lane): void;
  lease(): Lease | null;
  take(jobs: LeasedDelivery[]): void;
}

/** What brings deliveries from the database into the lanes: retries, backlogs, a dead node's work. */
export class Claims {
  readonly #parts: ClaimsParts;
  readonly #toRelease: VideoKey[] = [];
  #stopped = true;
  #running = false;
  #asked = false;
  #lookup = false;
  #releasing = false;
  #claiming: Promise<void> = Promise.resolve();
  #freeing: Promise<void> = Promise.resolve();

  constructor(parts: ClaimsParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#stopped = false;
    this.#poll();
  }

  /** Resolves when what was being claimed or released has come in. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([this.#claiming, this.#freeing]);
  }

  #poll(): void {
    if (this.#stopped) return;
    for (const lane of this.#parts.lanes.values()) {
      lane.look();
      this.#parts.note(lane);
    }
    this.wake();
    this.#parts.clock.after(LIMITS.POLL_MS, () => this.#poll());
  }

  /** Hints these webhooks, or asks the database which have something due; then claims. */
  wake(webhooks?: readonly string[]): void {
    if (webhooks === undefined) this.#lookup = true;
    for (const webhook of webhooks ?? []) this.#hint(webhook);
    this.ask();
  }

  #hint(webhook: string): void {
    const lane = this.#parts.laneOf(webhook);
    lane.hinted = true;
    lane.hintedByHand = true;
  }

  /** Claims for the lanes that are hinted and have room, if a claim is not under way already. */
  ask(): void {
    this.#asked = true;
    if (!this.#running && !this.#stopped) this.#claiming = this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      while ((this.#asked || this.#lookup) && !this.#stopped) {
        this.#asked = false;
        if (this.#lookup) await this.#look();
        await this.#claim();
      }
    } catch (err) {
      this.#parts.log.warn({ err }, "deliveries could not be claimed; the next poll tries again");
    } finally {
      this.#running = false;
    }
  }

  async #look(): Promise<void> {
    this.#lookup = false;
    for (const webhook of await listDueWebhooks(this.#parts.db)) this.#hint(webhook);
  }

  async #claim(): Promise<void> {
    const { db, clock, meter, laneOf, note, take } = this.#parts;
    const lease = this.#parts.lease();
    const wanted = this.#wanted();
    if (lease === null || wanted.length === 0) return;
    const claimed = await claimDue(db, wanted, lease);
    meter?.claimed(clock.monotonic() - lease.leased_ms);
    const counts = new Map<string, number>();
    for (const { webhook_id } of claimed) counts.set(webhook_id, (counts.get(webhook_id) ?? 0) + 1);
    for (const { webhook_id, slots, by_hand } of wanted) {
      const lane = laneOf(webhook_id);
      if ((counts.get(webhook_id) ?? 0) >= slots)
        this.#asked = true; // there may be more
      else if (by_hand) lane.hintedByHand = false;
      else {
        lane.caughtUp();
        note(lane);
      }
    }
    take(claimed);
  }

  /** The hinted lanes with room, fairly: when all of them together want too much, each gets less. */
  #wanted(): { webhook_id: string; slots: number; by_hand: boolean }[] {
    const { clock, lanes } = this.#parts;
    const now_ms = clock.monotonic();
    const hinted = [...lanes.values()].filter((lane) => lane.hinted && lane.wants(now_ms));
    const share = Math.max(1, Math.floor(LIMITS.CLAIM_BATCH_MAX / Math.max(1, hinted.length)));
    const served = hinted.slice(0, LIMITS.CLAIM_BATCH_MAX);
    const wanted = served.map((lane) => ({
      webhook_id: lane.webhook,
      slots: Math.min(lane.room, share),
      by_hand: false,
    }));
    const resting = [...lanes.values()].filter((lane) => lane.wantsByHand(now_ms));
    for (const lane of resting.slice(0, LIMITS.CLAIM_BATCH_MAX))
      wanted.push({ webhook_id: lane.webhook, slots: 1, by_hand: true });
    return wanted;
  }

  /** Lets the next event of each of these videos go, and sends it where its lane has room. */
  release(ended: readonly VideoKey[]): void {
    this.#toRelease.push(...ended);
    if (!this.#releasing && this.#toRelease.length > 0) this.#freeing = this.#releaseAll();
  }

  async #releaseAll(): Promise<void> {
    this.#releasing = true;
    while (this.#toRelease.length > 0) await this.#releaseBatch(this.#toRelease.splice(0, LIMITS.SETTLE_BATCH_MAX));
    this.#releasing = false;
  }

  async #releaseBatch(batch: VideoKey[]): Promise<void> {
    const { db, log, laneOf, take } = this.#parts;
    const lease = this.#parts.lease();
    const closed = batch.map(({ webhook_id }) => webhook_id).filter((webhook) => laneOf(webhook).closed);
    try {
      const { leased, due } = await releaseNext(db, batch, lease, closed);
      take(leased);
      if (due.length > 0) this.wake(due);
    } catch (err) {
      log.warn({ err }, "following deliveries were not released; the sweeper will");
    }
  }
}
