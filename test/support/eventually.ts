import { vi } from "vitest";

/** Waits for what a check expects, as long as a busy machine may need: vitest's own patience ends after a second. */
export const eventually = <Result>(check: () => Result | Promise<Result>): Promise<Result> =>
  vi.waitFor(check, { timeout: 30_000, interval: 25 });
