/** A token bucket for a webhook's rate limit. */
export class TokenBucket {
  #tokens = 1;
  #refilled_ms = 0;

  /** Takes a token, if there is one. @returns how many ms until the next token; 0 if a token was taken */
  take(perSecond: number, now_ms: number): number {
    const burst = Math.max(1, perSecond * BURST_S);
    this.#tokens = Math.min(burst, this.#tokens + ((now_ms - this.#refilled_ms) / 1000) * perSecond);
    this.#refilled_ms = now_ms;
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) / perSecond) * 1000);
    this.#tokens -= 1;
    return 0;
  }
}

/**
 * How many seconds of unused capacity can be saved up for a burst. This is kept small, so that the limit is never
 * exceeded by more than 10% in any second.
 */
const BURST_S = 0.1;
