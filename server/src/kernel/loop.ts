import type { Clock } from "./clock.ts";
import { LIMITS } from "./limits.ts";
import type { Log } from "./log.ts";
import type { Watchdog } from "./watchdog.ts";

/** What a service needs to run a loop. */
export interface LoopParts {
  clock: Clock;
  log: Log;
  watchdog: Watchdog;
}

interface LoopOptions {
  /** The name under which the watchdog reports the loop. */
  name: string;
  /** Runs one round. @returns ms until the next round, or nothing for `interval_ms` */
  round(): Promise<number> | Promise<void>;
  /** ms from the end of a round to the start of the next one. */
  interval_ms: number;
  /** ms from the end of a failed round to the start of the next one. Default: `interval_ms`. */
  retry_ms?: number;
  /** How long a round may take before the loop counts as late. */
  limit_ms?: number;
  /** Called with the error of a failed round. */
  onError(error: unknown): void;
}

/** Repeats a round of work, one round at a time. A failed round does not end the loop. */
export class Loop {
  readonly #parts: Pick<LoopParts, "clock" | "watchdog">;
  readonly #options: LoopOptions;
  #state: "stopped" | "waiting" | "running" = "stopped";
  #isWoken = false;
  #cancel = () => {};
  #running: Promise<void> = Promise.resolve();

  constructor(parts: Pick<LoopParts, "clock" | "watchdog">, options: LoopOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  /** Runs the first round. @returns a promise that resolves when that round has ended */
  start(): Promise<void> {
    if (this.#state === "stopped") this.#state = "waiting";
    this.wake();
    return this.#running;
  }

  /** Runs a round now. If one is already running, another one follows it immediately. */
  wake(): void {
    this.#isWoken = this.#state === "running";
    if (this.#state !== "waiting") return;
    this.#cancel();
    this.#state = "running";
    this.#running = this.#run();
  }

  /** Runs no more rounds. @returns a promise that resolves once the current round has ended */
  async stop(): Promise<void> {
    this.#state = "stopped";
    this.#cancel();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { name, limit_ms = LIMITS.LOOP_ROUND_MS, round } = this.#options;
    const { interval_ms, retry_ms = interval_ms, onError } = this.#options;
    let wait_ms = 0;
    do {
      this.#isWoken = false;
      try {
        const asked_ms: unknown = await this.#parts.watchdog.during<unknown>(name, limit_ms, round());
        wait_ms = typeof asked_ms === "number" ? asked_ms : interval_ms;
      } catch (error) {
        onError(error);
        wait_ms = retry_ms;
        break; // a round that fails immediately must not be repeated immediately
      }
    } while (this.#isWoken && this.#state === "running");
    if (this.#state === "running") this.#wait(wait_ms);
  }

  #wait(wait_ms: number): void {
    this.#state = "waiting";
    this.#cancel = this.#parts.clock.after(wait_ms, () => this.wake());
  }
}
