import type { Clock } from "./clock.ts";

/**
 * Knows which recurring work is late, so that `/readyz` can name it. A loop that waits forever for something throws no
 * error and logs nothing, so it would otherwise go unnoticed.
 */
export class Watchdog {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #expected = new Set<{ name: string; until_ms: number }>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /**
   * Expects some work to end within `limit_ms`. While it has not, `late` returns its name.
   * @returns a function to call when the work has ended
   */
  expect(name: string, limit_ms: number): () => void {
    const work = { name, until_ms: this.#clock.monotonic() + limit_ms };
    this.#expected.add(work);
    return () => this.#expected.delete(work);
  }

  /** Returns the result of `work`, which is expected to settle within `limit_ms`. */
  async during<Result>(name: string, limit_ms: number, work: Promise<Result>): Promise<Result> {
    const ended = this.expect(name, limit_ms);
    try {
      return await work;
    } finally {
      ended();
    }
  }

  /** Returns the names of the work that has not ended in time. */
  late(): string[] {
    const now_ms = this.#clock.monotonic();
    const late = [...this.#expected].filter(({ until_ms }) => until_ms < now_ms);
    return [...new Set(late.map(({ name }) => name))].sort();
  }
}
