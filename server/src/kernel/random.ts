import { randomBytes, randomInt } from "node:crypto";

/**
 * The only file that generates random values. All other code takes a `Random` as an argument, so that a test can seed
 * it.
 */
export interface Random {
  /** Returns `count` bytes from a cryptographic generator. */
  bytes(count: number): Buffer;
  /** Returns an integer, 0 <= n < `below`, without modulo bias. */
  integer(below: number): number;
  /** Returns a fraction, 0 <= n < 1, for jitter. */
  fraction(): number;
}

const POOL_BYTES = 4_096; // one system call then serves hundreds of ids
let pool = Buffer.alloc(0);

/**
 * Takes bytes from a pool that is filled for many ids at once, because one call to the generator costs as much as
 * signing a delivery.
 */
function fromPool(count: number): Buffer {
  if (pool.length < count) pool = randomBytes(POOL_BYTES);
  const bytes = Buffer.from(pool.subarray(0, count));
  pool.fill(0, 0, count);
  pool = pool.subarray(count);
  return bytes;
}

const ID_BYTES = 16; // the length of a UUID

export const systemRandom: Random = {
  bytes: (count) => (count <= ID_BYTES ? fromPool(count) : randomBytes(count)),
  integer: (below) => randomInt(below),
  fraction: () => randomInt(2 ** 48 - 1) / (2 ** 48 - 1),
};
