import { randomBytes, randomInt } from "node:crypto";

/** The only file that draws randomness; handed in everywhere, so that a test can seed it. */
export interface Random {
  /** `count` bytes fit for keys and secrets. */
  bytes(count: number): Buffer;
  /** A whole number, 0 <= n < `below`, without modulo bias. */
  integer(below: number): number;
  /** A fraction, 0 <= n < 1, for jitter. */
  fraction(): number;
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  integer: (below) => randomInt(below),
  fraction: () => randomInt(2 ** 48 - 1) / (2 ** 48 - 1),
};
