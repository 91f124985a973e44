import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { LeasedDelivery } from "../store/queue/claim.ts";
import type { Outcome } from "./outcome.ts";
import { TokenBucket } from "./token-bucket.ts";

/**
 * The state of a lane. `#update` sets it after every change to the lane; only `loading` is set and cleared elsewhere.
 *
 * - `idle`: the queue is empty, or the number of attempts in flight has reached the cap. A new delivery or a response
 *   ends this state.
 * - `ready`: the first delivery can be sent. `Lanes` lists the lane until its turn comes.
 * - `loading`: the lane's turn came before this node had read the webhook. A call to `loaded` ends this state.
 * - `resting`: the receiver sent Retry-After. Until that time has passed, only a manual delivery makes the lane ready.
 * - `limited`: the rate limiter has no token. Nothing is sent until it has one.
 */
export type LaneState = "idle" | "ready" | "loading" | "resting" | "limited";

/** Called after every change to a lane, with the change in its queue length. */
type OnChange = (lane: Lane, queued: number) => void;

/**
 * One webhook on this node: its queue, its attempts in flight, and the cap on them. The cap starts low, grows by one
 * with each success, halves when the receiver is overloaded (it does not respond, or responds with a 429 or 503), and
 * falls back to its initial value after WEBHOOK_FAILURES_MAX consecutive failures of other kinds. A hanging receiver
 * therefore occupies few slots, and a recovering one is not hit by a burst.
 *
 * A lane also tracks whether the database may have due rows for its webhook. If not, claims skip the lane.
 */
export class Lane {
  readonly webhook: string;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #onChange: OnChange;
  readonly #queue: LeasedDelivery[] = [];
  readonly #bucket = new TokenBucket();
  #state: LaneState = "idle";
  #restBegan_ms = 0;
  #restUntil_ms = 0;
  #limitedUntil_ms = 0;
  #inFlight = 0;
  #cap: number = LIMITS.WEBHOOK_IN_FLIGHT_START;
  #failuresInARow: number | null = null;
  #queuedMax: number = LIMITS.WEBHOOK_QUEUED_MAX;
  /** The number of polls since due rows may have appeared in the database; null if there are none. */
  #duePolls: number | null = null;
  #mayHaveManual = false;

  constructor(webhook: string, clock: Pick<Clock, "monotonic">, onChange: OnChange = () => {}) {
    this.webhook = webhook;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  get state(): LaneState {
    return this.#state;
  }

  get queued(): number {
    return this.#queue.length;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0 && this.#inFlight === 0;
  }

  get cap(): number {
    return this.#cap;
  }

  // ── The queue ──

  /** Adds a delivery to the queue. Manual deliveries go first. */
  add(delivery: LeasedDelivery): void {
    if (delivery.manual) this.#queue.unshift(delivery);
    else this.#queue.push(delivery);
    this.#update(1);
  }

  shift(): LeasedDelivery | undefined {
    const delivery = this.#queue.shift();
    this.#update(delivery === undefined ? 0 : -1);
    return delivery;
  }

  /**
   * Removes all deliveries from the queue, or all except manual ones.
   * @returns the removed deliveries
   */
  clear({ manual }: { manual: boolean }): LeasedDelivery[] {
    const removed = this.#queue.splice(0);
    if (!manual) this.#queue.push(...removed.filter(({ manual }) => manual));
    this.#update(this.#queue.length - removed.length);
    return manual ? removed : removed.filter(({ manual }) => !manual);
  }

  // ── Sending ──

  begin(): void {
    this.#inFlight += 1;
    this.#update();
  }

  /** @returns how many attempts in a row had failed before this one; null if it is the first one on this node */
  end({ result, immediate, isOverloaded }: Pick<Outcome, "result" | "immediate" | "isOverloaded">): number | null {
    const before = this.#failuresInARow;
    this.#inFlight -= 1;
    if (result === "succeeded") this.#failuresInARow = 0;
    else if (!immediate) this.#failuresInARow = (before ?? 0) + 1;
    if (result === "succeeded") this.#cap = Math.min(LIMITS.WEBHOOK_IN_FLIGHT_MAX, this.#cap + 1);
    else if (isOverloaded) this.#cap = Math.max(1, this.#cap / 2);
    else if (!immediate && this.#failuresInARow! >= LIMITS.WEBHOOK_FAILURES_MAX)
      this.#cap = Math.min(this.#cap, LIMITS.WEBHOOK_IN_FLIGHT_START);
    this.#update();
    return before;
  }

  /**
   * Notes that the lane's webhook is being read.
   * @returns false if it was already being read
   */
  load(): boolean {
    if (this.#state === "loading") return false;
    this.#state = "loading";
    this.#update();
    return true;
  }

  /**
   * Called when the lane's webhook has been read, or reading it has failed.
   * @param found false if reading failed, in which case the queue waits for the next delivery or claim
   */
  loaded(found: boolean): void {
    this.#state = "idle";
    if (found) this.#update();
  }

  /** Sends nothing but manual deliveries until `until_ms` on the monotonic clock; 0 ends a rest. */
  restUntil(until_ms: number): void {
    const now_ms = this.#clock.monotonic();
    if (this.#restUntil_ms <= now_ms) this.#restBegan_ms = now_ms;
    this.#restUntil_ms = until_ms;
    this.#update();
  }

  /** When the current rest ends, on the monotonic clock; a time in the past if there is none. */
  get restsUntil_ms(): number {
    return this.#restUntil_ms;
  }

  /** Whether the lane is resting, and has been since before `at_ms` on the monotonic clock. */
  hasRestedSince(at_ms: number): boolean {
    return this.#restUntil_ms > this.#clock.monotonic() && this.#restBegan_ms < at_ms;
  }

  /** Returns how much longer a Retry-After delays this delivery, in ms; 0 or less if it does not. */
  restLeft_ms({ manual }: LeasedDelivery): number {
    return manual ? 0 : this.#restUntil_ms - this.#clock.monotonic();
  }

  /**
   * Takes a token for one attempt. If there is no token, the lane is `limited` until the next one.
   * @param perSecond this node's share of the rate limit; null for no limit
   * @returns how many ms until the next token; 0 if a token was taken
   */
  takeToken(perSecond: number | null): number {
    const now_ms = this.#clock.monotonic();
    const wait_ms = perSecond === null ? 0 : this.#bucket.take(perSecond, now_ms);
    this.#queuedMax = queuedMax(perSecond);
    this.#limitedUntil_ms = now_ms + wait_ms;
    this.#update();
    return wait_ms;
  }

  /** Updates the state once a Retry-After or the wait for a token is over. */
  wake(): void {
    this.#update();
  }

  #update(queued = 0): void {
    if (this.#state !== "loading") this.#state = this.#nextState(this.#clock.monotonic());
    this.#onChange(this, queued);
  }

  #nextState(now_ms: number): LaneState {
    if (this.#limitedUntil_ms > now_ms) return "limited";
    const [first] = this.#queue;
    if (this.#restUntil_ms > now_ms && !first?.manual) return "resting";
    return first !== undefined && this.#inFlight < Math.floor(this.#cap) ? "ready" : "idle";
  }

  // ── Due rows in the database ──

  get mayHaveDue(): boolean {
    return this.#duePolls !== null;
  }

  /** Notes that the database may have due rows, including manual deliveries. */
  hint(): void {
    this.#duePolls ??= 0;
    this.#mayHaveManual = true;
  }

  /** Called each time the database is polled. */
  poll(): void {
    if (this.#duePolls !== null) this.#duePolls += 1;
    this.#update();
  }

  /** Called when a claim found fewer rows than it asked for. */
  caughtUp({ manual }: { manual: boolean }): void {
    if (manual) this.#mayHaveManual = false;
    else this.#duePolls = null;
    this.#update();
  }

  /**
   * Whether new deliveries must stay in the database, because the queue is full or older due rows have been waiting for
   * two polls. Without the second condition, deliveries from the recorder alone could keep the queue full, and retries,
   * which arrive through claims, would never be sent.
   */
  get isClosed(): boolean {
    const rest_ms = this.#restUntil_ms - this.#clock.monotonic();
    return (this.#duePolls ?? 0) >= 2 || this.#queue.length >= this.#queuedMax || rest_ms > LIMITS.WAIT_IN_MEMORY_MS;
  }

  /** How many rows to claim: enough for the free slots, plus some to send as soon as the next responses arrive. */
  get room(): number {
    const wanted = Math.floor(this.#cap) * (1 + LIMITS.CLAIM_AHEAD_ROUNDS);
    return Math.max(0, Math.min(wanted - this.#inFlight, this.#queuedMax) - this.#queue.length);
  }

  /** Whether to claim now, so that the queue does not run empty before the next round of responses. */
  get wantsClaim(): boolean {
    const now_ms = this.#clock.monotonic();
    const isWaiting = Math.max(this.#restUntil_ms, this.#limitedUntil_ms) > now_ms;
    return this.mayHaveDue && !isWaiting && this.#queue.length < Math.floor(this.#cap) && this.room > 0;
  }

  /** Whether to claim manual deliveries only, because a Retry-After delays all others. */
  get wantsManualClaim(): boolean {
    const now_ms = this.#clock.monotonic();
    const onlyManual = this.#restUntil_ms > now_ms && this.#limitedUntil_ms <= now_ms;
    return this.#mayHaveManual && onlyManual && this.room > 0;
  }
}

/**
 * Returns how many deliveries the queue may hold. With a rate limit, that is only as many as this node can send within
 * RATE_QUEUED_S, because other nodes can send the rest sooner.
 */
function queuedMax(perSecond: number | null): number {
  if (perSecond === null) return LIMITS.WEBHOOK_QUEUED_MAX;
  return Math.min(LIMITS.WEBHOOK_QUEUED_MAX, Math.ceil(perSecond * LIMITS.RATE_QUEUED_S));
}
