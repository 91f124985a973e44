import type { LocalDispatcher } from "../events/record.ts";
import { type Clock, unixSeconds } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import type { Random } from "../kernel/random.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import type { Signals } from "../kernel/signals.ts";
import type { Tracing } from "../kernel/trace.ts";
import type { Watchdog } from "../kernel/watchdog.ts";
import type { Exchange } from "../net/exchange.ts";
import type { SafeClient } from "../net/safe-client.ts";
import type { Database } from "../store/db.ts";
import type { LeasedDelivery } from "../store/queue/claim.ts";
import type { Lease } from "../store/queue/leases.ts";
import type { EndedAttempt } from "../webhooks/health.ts";
import type { Vault } from "../webhooks/secrets.ts";
import { type Attempt, cancellationOf, logAttempt, settlementOf, traceAttempt } from "./attempt.ts";
import { Claims } from "./claims.ts";
import { InFlight } from "./in-flight.ts";
import type { Lane } from "./lane.ts";
import { Lanes } from "./lanes.ts";
import { decide, type Outcome } from "./outcome.ts";
import { Recovery } from "./recovery.ts";
import { buildRequest } from "./request.ts";
import { SettleBatches, type SettledBatch } from "./settle-batches.ts";
import { createTargets, type Target, type Targets } from "./targets.ts";

export interface DispatcherParts {
  db: Database;
  clock: Clock;
  random: Random;
  log: Log;
  watchdog: Watchdog;
  signals: Signals;
  vault: Vault;
  client: Pick<SafeClient, "send" | "drain" | "close">;
  /** This server's version, for the User-Agent. */
  version: string;
  /** The delay before each retry, in seconds. */
  schedule_s: readonly number[];
  attempt_ms: number;
  /** This node's number, or null while it has none. */
  node(): number | null;
  /** The number of nodes that deliver. Each of them uses an equal share of a webhook's rate limit. */
  nodes(): number;
  onAttempt(ended: EndedAttempt & { outcome: Outcome }): void;
  /** Called with the duration of each claim and each settle. */
  onStatement?(statement: "claim" | "settle", duration_ms: number): void;
  tracing?: Tracing | undefined;
}

export interface DispatcherStats {
  inFlight: number;
  slow: number;
  queued: number;
  unsettled: number;
  attempts: Record<Outcome["result"], number>;
  leasesLost: number;
}

/** Erasure and retention keep the events of pending deliveries, so an operator must have deleted the row by hand. */
const NO_EVENT = "Its event is no longer stored.";

/**
 * Sends due deliveries. Each node that delivers has one dispatcher. Deliveries arrive already leased, either from the
 * recorder or from a claim. Each one is sent and settled, or returned to the database if it cannot be sent now.
 */
export class Dispatcher implements LocalDispatcher {
  readonly #parts: DispatcherParts;
  readonly #targets: Targets;
  readonly #lanes: Lanes;
  readonly #claims: Claims;
  readonly #settles: SettleBatches;
  readonly #recovery: Recovery;
  readonly #inFlight = new InFlight();
  readonly #toLoad = new Set<Lane>();
  readonly #attempts = { succeeded: 0, retry: 0, failed: 0 };
  #leasesLost = 0;
  #isDraining = false;

  constructor(parts: DispatcherParts) {
    const { db, clock, log, watchdog, vault, node, onStatement } = parts;
    this.#parts = parts;
    this.#targets = createTargets(db, vault, clock);
    const lanes = new Lanes({ db, clock, log, node });
    this.#lanes = lanes;
    const onClaim = (duration_ms: number) => onStatement?.("claim", duration_ms);
    const onSettle = (duration_ms: number) => onStatement?.("settle", duration_ms);
    this.#claims = new Claims({ db, clock, log, watchdog, lanes, onClaim, onLeased: (leased) => this.send(leased) });
    this.#recovery = new Recovery({ db, log, watchdog, signals: parts.signals, onRetriesDue: (id) => this.wake([id]) });
    const onSettled = (batch: SettledBatch) => this.#onSettled(batch);
    this.#settles = new SettleBatches({ db, clock, log, watchdog, onSettle, onSettled });
  }

  /** Starts claiming. Deliveries from the recorder are sent even before this is called. */
  start(): void {
    this.#claims.start();
    this.#checkSlow();
  }

  /**
   * Claims deliveries for these webhooks (UUIDs), which may have due deliveries. If none are given, asks the database
   * which webhooks have due deliveries.
   */
  wake(webhooks?: readonly string[]): void {
    this.#claims.wake(webhooks);
  }

  /**
   * Rereads these webhooks after a change. If none are given, asks the database which webhooks have changed. Resolves
   * once they have been read or reading them has failed.
   */
  async changed(webhooks?: readonly string[]): Promise<void> {
    try {
      const known = webhooks?.filter((webhook) => this.#targets.get(webhook) !== undefined);
      if (known !== undefined) await this.#targets.load(known);
      this.#applyRests(known ?? (await this.#targets.refresh()));
      this.wake();
    } catch (err) {
      this.#parts.log.warn({ err }, "Failed to read changed webhooks; retrying at the next poll");
    }
  }

  // ── Queue leased deliveries in their webhooks' lanes ──

  lease(): Lease | null {
    return this.#lanes.lease();
  }

  closed(): string[] {
    return this.#lanes.closed();
  }

  send(deliveries: readonly LeasedDelivery[]): void {
    for (const delivery of deliveries) this.#lanes.add(delivery);
    this.#pump();
  }

  // ── Start attempts, taking the webhooks in turn ──

  #pump(): void {
    while (this.#inFlight.hasRoom && this.#settles.pending < LIMITS.SETTLE_PENDING_MAX) {
      const lane = this.#lanes.next();
      if (lane === undefined) return;
      const target = this.#targets.get(lane.webhook);
      if (target === undefined) this.#load(lane);
      else this.#sendNext(lane, target);
    }
  }

  #sendNext(lane: Lane, target: Target | null): void {
    const wait_ms = target === null ? 0 : this.#lanes.takeToken(lane, this.#rateOf(target));
    if (wait_ms > 0) return void this.#wakeLaneAfter(wait_ms, lane);
    const delivery = lane.shift()!;
    const left_ms = delivery.leased_ms + LIMITS.LEASE_MS - this.#parts.clock.monotonic();
    const { payload } = delivery;
    if (target === null) this.#cancel(delivery, "Its webhook was deleted.");
    else if (payload === null) this.#cancel(delivery, NO_EVENT);
    else if (target.status !== "enabled" || left_ms < this.#parts.attempt_ms + LIMITS.LEASE_MARGIN_MS)
      this.#lanes.returnUnsent([delivery]);
    else this.#begin(delivery, payload, lane, target);
  }

  #rateOf({ status, rate_limit }: Target): number | null {
    return status !== "enabled" || rate_limit === null ? null : rate_limit / Math.max(1, this.#parts.nodes());
  }

  #cancel(delivery: LeasedDelivery, reason: string): void {
    this.#settles.add(delivery, cancellationOf(delivery, reason));
  }

  #wakeLaneAfter(wait_ms: number, lane: Lane): void {
    this.#parts.clock.after(wait_ms + 1, () => {
      lane.wake();
      if (lane.mayHaveDue) this.#claims.ask();
      this.#pump();
    });
  }

  /**
   * Reads a lane's webhook, which this node does not know yet. One statement reads all webhooks requested in the same
   * turn of the event loop.
   */
  #load(lane: Lane): void {
    if (!lane.load()) return;
    this.#toLoad.add(lane);
    if (this.#toLoad.size === 1) queueMicrotask(() => void this.#loadAll());
  }

  /**
   * Reads the requested webhooks. If that fails, their lanes wait for the next delivery or claim, and the leases of
   * queued deliveries may expire in the meantime.
   */
  async #loadAll(): Promise<void> {
    const lanes = [...this.#toLoad];
    this.#toLoad.clear();
    const warn = (err: unknown) => this.#parts.log.warn({ err }, "Failed to read webhooks; retrying at the next claim");
    await this.#targets.load(lanes.map(({ webhook }) => webhook)).catch(warn);
    for (const lane of lanes) lane.loaded(this.#targets.get(lane.webhook) !== undefined);
    this.#applyRests(lanes.map(({ webhook }) => webhook));
    this.#pump();
  }

  // ── Send a request and handle the response ──

  #begin(delivery: LeasedDelivery, payload: string, lane: Lane, target: Target): void {
    const { clock, client, version, attempt_ms: deadline_ms } = this.#parts;
    const [started_ms, begun_ms] = [clock.now(), clock.monotonic()];
    const request = buildRequest({ target, delivery, payload, version, now_s: unixSeconds(started_ms) });
    const attempt: Attempt = { delivery, lane, target, request, started_ms, begun_ms, isSlow: false };
    this.#inFlight.add(attempt);
    lane.begin();
    const { url, headers, body } = request;
    const fresh = delivery.immediate ?? false; // other idle connections may be closing too
    void client.send({ url, headers, body, deadline_ms, fresh }).then((exchange) => this.#end(attempt, exchange));
  }

  #end(attempt: Attempt, exchange: Exchange): void {
    const { delivery, lane, target, started_ms } = attempt;
    const { log, tracing, onAttempt } = this.#parts;
    const outcome = this.#decide(delivery, exchange);
    this.#inFlight.delete(attempt);
    const failures = lane.end(outcome);
    if (outcome.rest_ms > 0) this.#rest(attempt, Math.min(outcome.rest_ms, LIMITS.REST_MAX_MS));
    else if (outcome.result === "succeeded") this.#noteSuccess(attempt, failures);
    this.#settles.add(delivery, settlementOf(attempt, exchange, outcome));
    onAttempt({ target, exchange, outcome, at_ms: started_ms });
    logAttempt(log, attempt, exchange, outcome);
    if (tracing !== undefined) traceAttempt(tracing, attempt, exchange, outcome);
    if (lane.wantsClaim) this.#claims.ask();
    this.#pump();
  }

  #decide(delivery: LeasedDelivery, exchange: Exchange): Outcome {
    const { clock, random, schedule_s } = this.#parts;
    const { step, immediate = false, early_ms = null, leased_ms } = delivery;
    const left_ms = early_ms === null ? 0 : early_ms - (clock.monotonic() - leased_ms);
    const early = left_ms > LIMITS.EARLY_MIN_MS ? left_ms : null;
    const drawn = { schedule_s, fraction: random.fraction(), now_ms: clock.now() };
    const outcome = decide(exchange, { step, immediate, early_ms: early, ...drawn });
    this.#attempts[outcome.result] += 1;
    return outcome;
  }

  /** Sends nothing to the webhook for `rest_ms`, as its receiver asked, unless the current rest ends even later. */
  #rest({ lane, target }: Attempt, rest_ms: number): void {
    const until_ms = this.#parts.clock.monotonic() + rest_ms;
    if (until_ms <= lane.restsUntil_ms) return;
    this.#restUntil(lane, until_ms);
    this.#recovery.rest(target, rest_ms);
  }

  #restUntil(lane: Lane, until_ms: number): void {
    this.#lanes.restUntil(lane, until_ms);
    this.#wakeLaneAfter(Math.max(0, until_ms - this.#parts.clock.monotonic()), lane);
  }

  /** Applies the rests in the database, which other nodes or a user may have begun or ended. */
  #applyRests(webhooks: Iterable<string>): void {
    for (const webhook of webhooks) {
      const target = this.#targets.get(webhook);
      const lane = this.#lanes.of(webhook);
      if (target === null) this.#lanes.forget(lane);
      const until_ms = target?.restUntil_ms;
      const isResting = lane.restsUntil_ms > this.#parts.clock.monotonic();
      if (until_ms !== undefined && (until_ms > 0 || isResting)) this.#restUntil(lane, until_ms);
    }
  }

  /**
   * A success ends a rest that had begun before its attempt. After several failures, or after failures before this node
   * started, it also shows that the receiver has recovered.
   */
  #noteSuccess({ lane, target, begun_ms }: Attempt, failures: number | null): void {
    if (lane.hasRestedSince(begun_ms)) {
      this.#restUntil(lane, 0);
      this.#recovery.rest(target, 0);
    }
    if (failures === null ? target.isFailing : failures >= LIMITS.RECOVERY_FAILURES) this.#recovery.retryEarly(target);
  }

  #onSettled({ deliveries, lost, begun_ms }: SettledBatch): void {
    this.#leasesLost += lost.length;
    const isLost = new Set(lost);
    for (const { delivery, settlement } of deliveries) {
      this.#signal(delivery);
      if (isLost.has(settlement) || settlement.outcome !== "retry") continue;
      const { attempt, webhook_id } = delivery;
      if (settlement.immediate)
        this.#lanes.add({ ...delivery, attempt: attempt + 1, leased_ms: begun_ms, immediate: true });
      // A retry that is due before the next poll would be late if it waited for that poll.
      else if (settlement.delay_ms < LIMITS.POLL_MS)
        this.#parts.clock.after(settlement.delay_ms, () => this.wake([webhook_id]));
    }
    const ended = deliveries.filter(({ delivery, settlement }) => {
      return delivery.sequence > 0 && settlement.outcome !== "retry";
    });
    this.#claims.release(ended.map(({ delivery }) => delivery));
    this.#pump();
  }

  #signal({ space_id: space, webhook_id, id, event_id, sequence, video_id }: LeasedDelivery): void {
    const { signals } = this.#parts;
    if (!signals.hasListeners("delivery")) return;
    const [webhook, delivery, event] = [shortUuid(webhook_id), shortUuid(id), shortUuid(event_id)];
    signals.emit("delivery", { space, webhook, delivery, event, video: sequence > 0 ? video_id : null });
  }

  #checkSlow(): void {
    const { clock } = this.#parts;
    this.#inFlight.markSlow(clock.monotonic() - LIMITS.ATTEMPT_SLOW_AFTER_MS);
    this.#pump();
    if (!this.#isDraining) clock.after(LIMITS.ATTEMPT_SLOW_CHECK_MS, () => this.#checkSlow());
  }

  // ── Stop sending when the node loses its number or shuts down ──

  /**
   * Returns the leases of deliveries that have not been sent, because this node lost its number and other nodes may
   * claim its work.
   */
  returnUnsent(): void {
    this.#lanes.clear();
  }

  /** Stops accepting work, lets attempts in flight finish, and settles them. Resolves within about `patience_ms`. */
  async drain(patience_ms: number): Promise<void> {
    const { clock, client } = this.#parts;
    this.#isDraining = true;
    const claimed = this.#claims.stop();
    this.#lanes.stop();
    const until_ms = clock.monotonic() + patience_ms;
    const patience = new Promise<void>((resolve) => clock.after(patience_ms, resolve));
    await Promise.race([Promise.all([client.drain(), claimed]), patience]);
    if (this.#inFlight.size > 0) await client.close(); // the remaining attempts end with the error word `stopped`
    const left_ms = Math.max(LIMITS.DRAIN_SETTLE_MS, until_ms - clock.monotonic());
    const last = new Promise<void>((resolve) => clock.after(left_ms, resolve));
    await this.#settles.flush(left_ms);
    await Promise.race([Promise.all([this.#lanes.flush(), this.#recovery.idle()]), last]);
  }

  stats(): DispatcherStats {
    return {
      inFlight: this.#inFlight.quick,
      slow: this.#inFlight.slow,
      queued: this.#lanes.queued,
      unsettled: this.#settles.pending,
      attempts: { ...this.#attempts },
      leasesLost: this.#leasesLost,
    };
  }
}
