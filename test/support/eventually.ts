import { vi } from "vitest";

/** Waits until a check passes, for up to 30 s: on a busy machine, the one second of vitest's default is too short. */
export const eventually = <Result>(check: () => Result | Promise<Result>): Promise<Result> =>
  vi.waitFor(check, { timeout: 30_000, interval: 25 });
