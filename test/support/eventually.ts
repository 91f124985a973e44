import { vi } from "vitest";

/** Waits up to 30 s until a check passes. Vitest's default of one second is too short on a busy machine. */
export const eventually = <Result>(check: () => Result | Promise<Result>): Promise<Result> =>
  vi.waitFor(check, { timeout: 30_000, interval: 25 });
