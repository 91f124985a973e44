import type { LocalDispatcher } from "../events/record.ts";
import { unixSeconds } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import type { Exchange } from "../net/exchange.ts";
import type { LeasedDelivery } from "../store/queue/claim.ts";
import { type Lease, returnLeases } from "../store/queue/leases.ts";
import { logAttempt } from "./attempt-log.ts";
import { traceAttempt } from "./attempt-trace.ts";
import { Claims } from "./claims.ts";
import type { DispatcherParts, DispatcherStats } from "./dispatcher-parts.ts";
import { Lane } from "./lane.ts";
import { decide, type Outcome } from "./outcome.ts";
import { buildRequest, type SignedRequest } from "./request.ts";
import { cancellation, settlementOf } from "./settlement.ts";
import { type SettledBatch, Settler } from "./settler.ts";
import { createTargets, type Target, type Targets } from "./targets.ts";

export type { DispatcherParts } from "./dispatcher-parts.ts";

/** An attempt under way. */
interface Send {
  job: LeasedDelivery;
  lane: Lane;
  target: Target;
  request: SignedRequest;
  started_ms: number;
  begun_ms: number;
  slow: boolean;
}

/** Room that a lease needs beyond the attempt's own time, so that its outcome is settled before it ends. */
const LEASE_MARGIN_MS = 1_000;
/** A receiver that asked for a longer rest gets its queue put back: it would outlast the leases. */
const REST_IN_MEMORY_MS = 5_000;
/** Of the whole webhook; the delivery that was told to wait waits as long as it was told. */
const REST_MAX_MS = 60_000;

/**
 * Sends what is due: the heart. One per node that delivers. Deliveries come in leased, by hand-over from the recorder or
 * by claim; each is sent, judged and settled, and nothing else ends a lease early but giving it back unsent.
 */
export class Dispatcher implements LocalDispatcher {
  readonly #parts: DispatcherParts;
  readonly #lease_ms: number;
  readonly #targets: Targets;
  readonly #settler: Settler;
  readonly #claims: Claims;
  readonly #lanes = new Map<string, Lane>();
  readonly #ready: Lane[] = [];
  readonly #closed = new Set<string>();
  readonly #sends = new Set<Send>(); // in the order in which they began
  readonly #unsent: LeasedDelivery[] = [];
  #returning: Promise<void> = Promise.resolve();
  readonly #toLoad = new Set<string>();
  readonly #attempts = { succeeded: 0, retry: 0, failed: 0 };
  #quick = 0;
  #slow = 0;
  #queued = 0;
  #leasesLost = 0;
  #draining = false;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    const { db, clock, log, vault, attempt_ms, meter } = parts;
    this.#lease_ms = Math.max(LIMITS.LEASE_MS, attempt_ms * 2);
    this.#targets = createTargets(db, vault, clock);
    const lease_ms = this.#lease_ms;
    this.#settler = new Settler({ db, clock, log, meter, lease_ms, onSettled: (batch) => this.#settled(batch) });
    const laneOf = (webhook: string) => this.#laneOf(webhook);
    const [lease, take] = [() => this.lease(), (deliveries: LeasedDelivery[]) => this.take(deliveries)];
    const note = (lane: Lane) => this.#note(lane);
    this.#claims = new Claims({ db, clock, log, meter, lanes: this.#lanes, laneOf, note, lease, take });
  }

  /** Begins to claim. What is handed over is sent before that too. */
  start(): void {
    this.#claims.start();
    this.#lookForSlow();
  }

  /** These webhooks (UUIDs) may have due deliveries; without any: ask the database which. */
  wake(webhooks?: readonly string[]): void {
    this.#claims.wake(webhooks);
  }

  /** These webhooks were changed; without any: ask the database which. Ends when that is known here. */
  async changed(webhooks?: readonly string[]): Promise<void> {
    try {
      if (webhooks === undefined) await this.#targets.refresh();
      else await this.#targets.load(webhooks.filter((webhook) => this.#targets.get(webhook) !== undefined));
      this.wake();
    } catch (err) {
      this.#parts.log.warn({ err }, "changed webhooks could not be read; the next poll tries again");
    }
  }

  // ── In: leased deliveries, each to the lane of its webhook ──

  lease(): Lease | null {
    const node = this.#parts.node();
    const none = this.#draining || node === null || this.#queued >= LIMITS.DELIVERIES_QUEUED_MAX;
    return none ? null : { node, lease_ms: this.#lease_ms, leased_ms: this.#parts.clock.monotonic() };
  }

  closed(): string[] {
    return [...this.#closed];
  }

  #note({ webhook, closed }: Lane): void {
    if (closed) this.#closed.add(webhook);
    else this.#closed.delete(webhook);
  }

  take(deliveries: LeasedDelivery[]): void {
    for (const delivery of deliveries) this.#enqueue(delivery);
    this.#pump();
  }

  #enqueue(job: LeasedDelivery): void {
    const lane = this.#laneOf(job.webhook_id);
    const restLeft_ms = job.by_hand ? 0 : lane.restUntil_ms - this.#parts.clock.monotonic();
    if (this.#draining || this.#parts.node() === null || restLeft_ms > REST_IN_MEMORY_MS) {
      this.#putBack(job);
      return;
    }
    lane.add(job);
    this.#queued += 1;
    this.#note(lane);
    this.#offer(lane);
  }

  #laneOf(webhook: string): Lane {
    const known = this.#lanes.get(webhook);
    if (known !== undefined) return known;
    const lane = new Lane(webhook);
    this.#lanes.set(webhook, lane);
    return lane;
  }

  // ── Out: one attempt for each webhook in turn ──

  /** Lists a webhook that has something to send and may; each stands in the list once, whatever its backlog. */
  #offer(lane: Lane): void {
    if (lane.listed || lane.queue.length === 0 || !lane.free || !lane.awake(this.#parts.clock.monotonic())) return;
    lane.listed = true;
    this.#ready.push(lane);
  }

  #pump(): void {
    while (this.#ready.length > 0 && this.#quick < LIMITS.SENDS_IN_FLIGHT_MAX) {
      if (this.#settler.pending >= LIMITS.SETTLE_PENDING_MAX) return;
      const lane = this.#ready.shift()!;
      lane.listed = false;
      const target = this.#targets.get(lane.webhook);
      if (target === undefined) this.#load(lane);
      else this.#sendNext(lane, target);
    }
  }

  #sendNext(lane: Lane, target: Target | null): void {
    const now_ms = this.#parts.clock.monotonic();
    const wait_ms = target === null ? 0 : lane.takeToken(this.#rateOf(target), now_ms);
    const job = wait_ms > 0 ? undefined : this.#shift(lane);
    if (wait_ms > 0) this.#pace(lane, wait_ms, now_ms);
    if (job !== undefined) this.#sendOrEnd(job, lane, target, now_ms);
    this.#offer(lane);
  }

  #rateOf({ status, rate_limit }: Target): number | null {
    return status !== "enabled" || rate_limit === null ? null : rate_limit / Math.max(1, this.#parts.nodes());
  }

  #sendOrEnd(job: LeasedDelivery, lane: Lane, target: Target | null, now_ms: number): void {
    const left_ms = job.leased_ms + this.#lease_ms - now_ms;
    if (target === null) this.#settler.add({ job, settlement: cancellation(job, "Its webhook was deleted.") });
    else if (job.payload === null)
      this.#settler.add({ job, settlement: cancellation(job, "Its event is no longer kept.") });
    else if (target.status !== "enabled" || left_ms < this.#parts.attempt_ms + LEASE_MARGIN_MS) this.#putBack(job);
    else this.#send(job, job.payload, lane, target);
  }

  #send(job: LeasedDelivery, payload: string, lane: Lane, target: Target): void {
    const { clock, client, version, attempt_ms: deadline_ms } = this.#parts;
    const [started_ms, begun_ms] = [clock.now(), clock.monotonic()];
    const request = buildRequest({ target, delivery: job, payload, version, now_s: unixSeconds(started_ms) });
    const one: Send = { job, lane, target, request, started_ms, begun_ms, slow: false };
    this.#sends.add(one);
    lane.inFlight += 1;
    this.#quick += 1;
    const { url, headers, body } = request;
    void client.send({ url, headers, body, deadline_ms }).then((exchange) => this.#answered(one, exchange));
  }

  #answered(one: Send, exchange: Exchange): void {
    const { job, lane, target, started_ms } = one;
    const { log, tracing } = this.#parts;
    this.#sends.delete(one);
    lane.inFlight -= 1;
    if (one.slow) this.#slow -= 1;
    else this.#quick -= 1;
    const outcome = this.#judge(job, exchange);
    lane.answered(outcome);
    if (outcome.rest_ms > 0) this.#rest(lane, Math.min(outcome.rest_ms, REST_MAX_MS));
    this.#settler.add({ job, settlement: settlementOf(job, one.request, started_ms, exchange, outcome) });
    this.#parts.onAttempt({ target, exchange, outcome, at_ms: started_ms });
    logAttempt(log, job, exchange, outcome);
    if (tracing !== undefined) traceAttempt(tracing, job, started_ms, exchange, outcome);
    this.#offer(lane);
    if (lane.hinted && lane.wants(this.#parts.clock.monotonic())) this.#claims.ask();
    this.#pump();
  }

  #judge(job: LeasedDelivery, exchange: Exchange): Outcome {
    const { clock, random, schedule_s } = this.#parts;
    const { step, repeated = false } = job;
    const verdict = decide(exchange, { step, repeated, schedule_s, fraction: random.fraction(), now_ms: clock.now() });
    this.#attempts[verdict.result] += 1;
    return verdict;
  }

  /** Sends nothing to this webhook for a while but what a person sends. */
  #rest(lane: Lane, rest_ms: number): void {
    lane.restUntil_ms = Math.max(lane.restUntil_ms, this.#parts.clock.monotonic() + rest_ms);
    if (rest_ms > REST_IN_MEMORY_MS) this.#putBackAll(lane, (job) => !job.by_hand);
    this.#offerAfter(lane, rest_ms);
  }

  /** Sends nothing at all to this webhook until its rate has a token again. */
  #pace(lane: Lane, wait_ms: number, now_ms: number): void {
    lane.paceUntil_ms = now_ms + wait_ms;
    if (wait_ms > REST_IN_MEMORY_MS) this.#putBackAll(lane);
    this.#offerAfter(lane, wait_ms);
  }

  #offerAfter(lane: Lane, wait_ms: number): void {
    this.#parts.clock.after(wait_ms + 1, () => {
      this.#offer(lane);
      if (lane.hinted) this.#claims.ask();
      this.#pump();
    });
  }

  /** Attempts that take long leave the quick ones' places, as far as there is room for them. */
  #lookForSlow(): void {
    const { clock } = this.#parts;
    const limit_ms = clock.monotonic() - LIMITS.SEND_SLOW_AFTER_MS;
    for (const one of this.#sends) {
      if (one.begun_ms > limit_ms || this.#slow >= LIMITS.SENDS_SLOW_MAX) break;
      if (one.slow) continue;
      one.slow = true;
      this.#quick -= 1;
      this.#slow += 1;
    }
    this.#pump();
    if (!this.#draining) clock.after(LIMITS.SEND_SLOW_CHECK_MS, () => this.#lookForSlow());
  }

  // ── Webhooks that are not known here yet ──

  #load(lane: Lane): void {
    if (lane.loading) return;
    lane.loading = true;
    this.#toLoad.add(lane.webhook);
    if (this.#toLoad.size === 1) queueMicrotask(() => void this.#loadAll());
  }

  /** Where they cannot be read, their queues wait for the next hand-over or claim; the leases may end meanwhile. */
  async #loadAll(): Promise<void> {
    const webhooks = [...this.#toLoad];
    this.#toLoad.clear();
    await this.#targets
      .load(webhooks)
      .catch((err: unknown) => this.#parts.log.warn({ err }, "webhooks could not be read"));
    for (const webhook of webhooks) {
      const lane = this.#laneOf(webhook);
      lane.loading = false;
      if (this.#targets.get(webhook) !== undefined) this.#offer(lane);
    }
    this.#pump();
  }

  // ── Back: what was settled, and what follows from it ──

  #settled({ entries, lost, begun_ms }: SettledBatch): void {
    this.#leasesLost += lost.length;
    const notMine = new Set(lost);
    for (const { job, settlement } of entries) {
      this.#announce(job);
      if (notMine.has(settlement) || settlement.outcome !== "retry") continue;
      if (settlement.again) this.#enqueue({ ...job, attempt: job.attempt + 1, leased_ms: begun_ms, repeated: true });
      else if (settlement.delay_ms < LIMITS.POLL_MS) this.#wakeAfter(settlement.delay_ms, job.webhook_id);
    }
    const ended = entries.filter(({ job, settlement }) => job.sequence > 0 && settlement.outcome !== "retry");
    this.#claims.release(ended.map(({ job }) => job));
    this.#pump();
  }

  /** For a retry that would be late if it waited for the next poll. */
  #wakeAfter(delay_ms: number, webhook: string): void {
    this.#parts.clock.after(delay_ms, () => this.wake([webhook]));
  }

  #announce({ space_id: space, webhook_id, id, event_id, sequence, video_id }: LeasedDelivery): void {
    const { signals } = this.#parts;
    if (!signals.heard("delivery")) return;
    const [webhook, delivery, event] = [shortUuid(webhook_id), shortUuid(id), shortUuid(event_id)];
    signals.emit("delivery", { space, webhook, delivery, event, video: sequence > 0 ? video_id : null });
  }

  // ── Unsent: leases given back ──

  /** Gives back what is leased and not sent: this node's number is lost, and others may take its work. */
  forsake(): void {
    for (const lane of this.#lanes.values()) this.#putBackAll(lane);
  }

  #shift(lane: Lane): LeasedDelivery | undefined {
    const job = lane.queue.shift();
    if (job === undefined) return undefined;
    this.#queued -= 1;
    this.#note(lane);
    return job;
  }

  #putBackAll(lane: Lane, which: (job: LeasedDelivery) => boolean = () => true): void {
    const stays: LeasedDelivery[] = [];
    for (let job = this.#shift(lane); job !== undefined; job = this.#shift(lane))
      if (which(job)) this.#putBack(job);
      else stays.push(job);
    lane.queue.push(...stays);
    this.#queued += stays.length;
  }

  #putBack(job: LeasedDelivery): void {
    this.#unsent.push(job);
    if (this.#unsent.length === 1) this.#parts.clock.after(0, () => void this.#returnUnsent());
  }

  /** Where it fails, the leases end by themselves. Resolves when those before are given back too: a drain waits for them. */
  #returnUnsent(): Promise<void> {
    const jobs = this.#unsent.splice(0);
    const { db, log } = this.#parts;
    const given = jobs.length === 0 ? Promise.resolve() : returnLeases(db, jobs);
    const heard = given.catch((err: unknown) => log.warn({ err }, "leases were not given back; they will end"));
    this.#returning = Promise.all([this.#returning, heard]).then(() => {});
    return this.#returning;
  }

  /** Takes no more work, lets the attempts under way end, and writes what came of them. Within about `patience_ms`. */
  async drain(patience_ms: number): Promise<void> {
    const { clock, client } = this.#parts;
    this.#draining = true;
    const claimed = this.#claims.stop();
    this.forsake();
    const until_ms = clock.monotonic() + patience_ms;
    const patience = new Promise<void>((resolve) => clock.after(patience_ms, resolve));
    await Promise.race([Promise.all([client.drain(), claimed]), patience]);
    if (this.#sends.size > 0) await client.close(); // those that outlast it end with the word `stopped`
    await this.#settler.flush(Math.max(1_000, until_ms - clock.monotonic()));
    await this.#returnUnsent();
  }

  stats(): DispatcherStats {
    return {
      inFlight: this.#quick,
      slow: this.#slow,
      queued: this.#queued,
      unsettled: this.#settler.pending,
      attempts: { ...this.#attempts },
      leasesLost: this.#leasesLost,
    };
  }
}
