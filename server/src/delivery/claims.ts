import { LIMITS } from "../kernel/limits.ts";
import type { LoopParts } from "../kernel/loop.ts";
import type { Database } from "../store/db.ts";
import { claimDue, type LeasedDelivery, listDueWebhooks } from "../store/queue/claim.ts";
import type { VideoKey } from "../store/queue/key.ts";
import { releaseNext } from "../store/queue/release.ts";
import type { Lanes } from "./lanes.ts";

interface ClaimsParts extends LoopParts {
  db: Database;
  lanes: Lanes;
  /** Called with deliveries that a claim or a release has leased to this node. */
  onLeased(deliveries: LeasedDelivery[]): void;
  /** Called with the duration of each claim. */
  onClaim(duration_ms: number): void;
}

/** How many rows to claim for a webhook, and whether to claim only manual deliveries. */
interface Wanted {
  webhook_id: string;
  slots: number;
  manual: boolean;
}

/**
 * Claims due deliveries from the database, such as retries, backlogs and work left behind by dead nodes. Runs one claim
 * at a time.
 */
export class Claims {
  readonly #parts: ClaimsParts;
  readonly #toRelease: VideoKey[] = [];
  #isStopped = true;
  #isClaiming = false;
  #isAsked = false;
  #looksUp = false;
  #isReleasing = false;
  #claiming: Promise<void> = Promise.resolve();
  #releasing: Promise<void> = Promise.resolve();

  constructor(parts: ClaimsParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#isStopped = false;
    this.#poll();
  }

  /** Stops claiming, and resolves once no claim or release is running. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([this.#claiming, this.#releasing]);
  }

  #poll(): void {
    if (this.#isStopped) return;
    for (const lane of this.#parts.lanes.all()) lane.poll();
    this.wake();
    this.#parts.clock.after(LIMITS.POLL_MS, () => this.#poll());
  }

  /**
   * Claims rows for these webhooks (UUIDs), which may have due rows. If none are given, asks the database which
   * webhooks have due rows.
   */
  wake(webhooks?: readonly string[]): void {
    if (webhooks === undefined) this.#looksUp = true;
    else this.#hint(webhooks);
    this.ask();
  }

  #hint(webhooks: readonly string[]): void {
    for (const webhook of webhooks) this.#parts.lanes.of(webhook).hint();
  }

  /** Claims rows for the lanes that want some. If a claim is already running, another one runs after it. */
  ask(): void {
    this.#isAsked = true;
    if (!this.#isClaiming && !this.#isStopped) this.#claiming = this.#run();
  }

  async #run(): Promise<void> {
    this.#isClaiming = true;
    try {
      while ((this.#isAsked || this.#looksUp) && !this.#isStopped) {
        this.#isAsked = false;
        await this.#parts.watchdog.during("claim", LIMITS.LOOP_ROUND_MS, this.#lookUpAndClaim());
      }
    } catch (err) {
      this.#parts.log.warn({ err }, "Claim failed; retrying at the next poll");
    } finally {
      this.#isClaiming = false;
    }
  }

  async #lookUpAndClaim(): Promise<void> {
    if (this.#looksUp) await this.#lookUp();
    await this.#claim();
  }

  async #lookUp(): Promise<void> {
    this.#looksUp = false;
    this.#hint(await listDueWebhooks(this.#parts.db));
  }

  async #claim(): Promise<void> {
    const { db, clock, lanes } = this.#parts;
    const lease = lanes.lease();
    const wanted = this.#wanted();
    if (lease === null || wanted.length === 0) return;
    const claimed = await claimDue(db, wanted, lease);
    this.#parts.onClaim(clock.monotonic() - lease.leased_ms);
    this.#noteFound(wanted, claimed);
    this.#parts.onLeased(claimed);
  }

  #noteFound(wanted: readonly Wanted[], claimed: readonly LeasedDelivery[]): void {
    const counts = new Map<string, number>();
    for (const { webhook_id } of claimed) counts.set(webhook_id, (counts.get(webhook_id) ?? 0) + 1);
    for (const { webhook_id, slots, manual } of wanted)
      if ((counts.get(webhook_id) ?? 0) < slots) this.#parts.lanes.of(webhook_id).caughtUp({ manual });
      else this.#isAsked = true; // the database may have more due rows
  }

  /**
   * Returns how many rows to claim for each lane that wants some: at most an equal share of CLAIM_BATCH_MAX, or one row
   * if only manual deliveries are wanted.
   */
  #wanted(): Wanted[] {
    const lanes = [...this.#parts.lanes.all()];
    const due = lanes.filter((lane) => lane.wantsClaim);
    const share = Math.max(1, Math.floor(LIMITS.CLAIM_BATCH_MAX / Math.max(1, due.length)));
    const manual = lanes.filter((lane) => lane.wantsManualClaim);
    return [
      ...due.slice(0, LIMITS.CLAIM_BATCH_MAX).map(({ webhook, room }) => {
        return { webhook_id: webhook, slots: Math.min(room, share), manual: false };
      }),
      ...manual.slice(0, LIMITS.CLAIM_BATCH_MAX).map(({ webhook }) => {
        return { webhook_id: webhook, slots: 1, manual: true };
      }),
    ];
  }

  /** Releases the next delivery of each video, and leases it to this node if its lane has room. */
  release(ended: readonly VideoKey[]): void {
    const room = LIMITS.RELEASES_WAITING_MAX - this.#toRelease.length;
    this.#toRelease.push(...ended.slice(0, room)); // the sweeper releases the others
    if (!this.#isReleasing && this.#toRelease.length > 0) this.#releasing = this.#releaseAll();
  }

  async #releaseAll(): Promise<void> {
    this.#isReleasing = true;
    while (this.#toRelease.length > 0) await this.#releaseBatch(this.#toRelease.splice(0, LIMITS.SETTLE_BATCH_MAX));
    this.#isReleasing = false;
  }

  async #releaseBatch(batch: VideoKey[]): Promise<void> {
    const { db, log, watchdog, lanes } = this.#parts;
    const lease = lanes.lease();
    const closed = batch.map(({ webhook_id }) => webhook_id).filter((webhook) => lanes.of(webhook).isClosed);
    try {
      const releasing = releaseNext(db, batch, lease, closed);
      const { leased, due } = await watchdog.during("release", LIMITS.LOOP_ROUND_MS, releasing);
      this.#parts.onLeased(leased);
      if (due.length > 0) this.wake(due);
    } catch (err) {
      log.warn({ err }, "Failed to release the next deliveries; the sweeper will release them");
    }
  }
}
