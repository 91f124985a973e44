import { LIMITS } from "../kernel/limits.ts";
import type { LeasedDelivery } from "../store/queue/claim.ts";
import type { Outcome } from "./outcome.ts";

/**
 * One webhook's place in this node: what waits for it, how many attempts are under way and how many may be. The cap
 * starts low, grows by one with each success, halves with each timeout and starts anew where nothing but errors come
 * back, so that a receiver that hangs holds few slots and one that recovers is not met by a burst. Pure but for its own
 * state.
 */
export class Lane {
  readonly webhook: string;
  readonly queue: LeasedDelivery[] = [];
  inFlight = 0;
  cap: number = LIMITS.WEBHOOK_IN_FLIGHT_START;
  /** It stands in the ready list. */
  listed = false;
  /** The database may have due rows for it. */
  hinted = false;
  #hintedBefore = false;
  #behind = false;
  /** The database may have one that a person sends, which a rest does not hold. */
  hintedByHand = false;
  /** Its webhook is being read. */
  loading = false;
  /** Until when the receiver asked to be left alone, on the monotonic clock. */
  restUntil_ms = 0;
  /** Until when its rate limit has no token. This holds what a person sends too. */
  paceUntil_ms = 0;
  /** Answers other than 2xx in a row. */
  #refused = 0;
  /** How many may wait in memory. */
  #queuedMax: number = LIMITS.WEBHOOK_QUEUED_MAX;
  #tokens = 1;
  #refilled_ms = 0;

  constructor(webhook: string) {
    this.webhook = webhook;
  }

  /** Whether one more attempt may begin. */
  get free(): boolean {
    return this.inFlight < Math.floor(this.cap);
  }

  /** Whether the next one in the queue may be sent, as far as time is concerned. */
  awake(now_ms: number): boolean {
    return this.paceUntil_ms <= now_ms && (this.restUntil_ms <= now_ms || this.queue[0]?.by_hand === true);
  }

  /** Puts one into the queue: what a person sends before the rest. */
  add(job: LeasedDelivery): void {
    if (job.by_hand) this.queue.unshift(job);
    else this.queue.push(job);
  }

  /** How many more rows to claim: the free slots, and some to have at hand when these have been answered. */
  get room(): number {
    const wanted = Math.floor(this.cap) * (1 + CLAIM_AHEAD);
    return Math.max(0, Math.min(wanted - this.inFlight, this.#queuedMax) - this.queue.length);
  }

  /** Whether a claim is worth its while: the queue would not last for the next round of responses. */
  wants(now_ms: number): boolean {
    return (
      this.queue.length < Math.floor(this.cap) &&
      this.room > 0 &&
      Math.max(this.restUntil_ms, this.paceUntil_ms) <= now_ms
    );
  }

  /** The same during a rest, for what a person sends. */
  wantsByHand(now_ms: number): boolean {
    return this.hintedByHand && this.room > 0 && this.restUntil_ms > now_ms && this.paceUntil_ms <= now_ms;
  }

  /**
   * Whether what is new is left in the database: there is no room here, or what waits there would wait for ever. A queue
   * that is filled by hand-overs alone leaves no room for a claim, and retries come by claims.
   */
  get closed(): boolean {
    return this.#behind || this.queue.length >= this.#queuedMax;
  }

  /** From time to time: what the database had then already, and still has, goes before what is new. */
  look(): void {
    this.#behind = this.hinted && this.#hintedBefore;
    this.#hintedBefore = this.hinted;
  }

  /** A claim found less than it asked for. */
  caughtUp(): void {
    this.hinted = false;
    this.#hintedBefore = false;
    this.#behind = false;
  }

  /** An attempt has ended so. */
  answered({ result, again, atEase }: Pick<Outcome, "result" | "again" | "atEase">): void {
    if (result === "succeeded") {
      this.#refused = 0;
      this.cap = Math.min(LIMITS.WEBHOOK_IN_FLIGHT_MAX, this.cap + 1);
    } else if (!atEase) this.cap = Math.max(1, this.cap / 2);
    else if (!again && ++this.#refused >= LIMITS.WEBHOOK_FAILURES_MAX)
      this.cap = Math.min(this.cap, LIMITS.WEBHOOK_IN_FLIGHT_START);
  }

  /**
   * Takes a token of the webhook's rate.
   * @param perSecond this node's share of the rate limit; null: none
   * @returns 0 where an attempt may begin, else how many ms to wait for the next token
   */
  takeToken(perSecond: number | null, now_ms: number): number {
    this.#queuedMax = queuedMax(perSecond);
    if (perSecond === null) return 0;
    const burst = Math.max(1, perSecond * RATE_BURST_S);
    this.#tokens = Math.min(burst, this.#tokens + ((now_ms - this.#refilled_ms) / 1000) * perSecond);
    this.#refilled_ms = now_ms;
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) / perSecond) * 1000);
    this.#tokens -= 1;
    return 0;
  }
}

/** With a rate no more than is sent soon: the rest is left to the other nodes, who have the rest of that rate. */
function queuedMax(perSecond: number | null): number {
  if (perSecond === null) return LIMITS.WEBHOOK_QUEUED_MAX;
  return Math.min(LIMITS.WEBHOOK_QUEUED_MAX, Math.ceil(perSecond * RATE_QUEUED_S));
}

/** Rows claimed beyond the slots, in caps: a claim then serves about three rounds of responses. */
const CLAIM_AHEAD = 2;
/** How much of an unused rate may be made up for: little, so that any second keeps the limit within a tenth. */
const RATE_BURST_S = 0.1;
/** How long what is queued may wait for tokens. */
const RATE_QUEUED_S = 0.5;
