import { LIMITS } from "../kernel/limits.ts";
import type { Attempt } from "./attempt.ts";

/**
 * The attempts in flight. Slow attempts are counted separately and have their own limit, so that hanging receivers do
 * not use up the slots needed for receivers that respond quickly.
 */
export class InFlight {
  readonly #attempts = new Set<Attempt>(); // in the order in which the attempts began
  #quick = 0;
  #slow = 0;

  get quick(): number {
    return this.#quick;
  }

  get slow(): number {
    return this.#slow;
  }

  get size(): number {
    return this.#attempts.size;
  }

  get hasRoom(): boolean {
    return this.#quick < LIMITS.ATTEMPTS_IN_FLIGHT_MAX;
  }

  add(attempt: Attempt): void {
    this.#attempts.add(attempt);
    this.#quick += 1;
  }

  delete(attempt: Attempt): void {
    this.#attempts.delete(attempt);
    if (attempt.isSlow) this.#slow -= 1;
    else this.#quick -= 1;
  }

  /**
   * Marks attempts as slow if they began at or before `limit_ms` on the monotonic clock, up to ATTEMPTS_SLOW_MAX in total.
   */
  markSlow(limit_ms: number): void {
    for (const attempt of this.#attempts) {
      if (attempt.begun_ms > limit_ms || this.#slow >= LIMITS.ATTEMPTS_SLOW_MAX) return;
      if (attempt.isSlow) continue;
      attempt.isSlow = true;
      this.#quick -= 1;
      this.#slow += 1;
    }
  }
}
