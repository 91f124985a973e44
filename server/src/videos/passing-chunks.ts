import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** After so many bytes of chunks. At 16 MB V8 still went through its whole heap as often. */
const COLLECTED_BYTES = 4 * 1024 * 1024;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as (options: { type: "minor" }) => void;
let passed = 0;

/**
 * To be told of each chunk of a file that streams through. The memory of these lies outside V8's heap, which has V8 go
 * through all of that heap every few dozen MB, though nothing but young objects is to be found: in a server with its
 * libraries that took two thirds of an upload's time outside the kernel. The young ones alone take less than a millisecond.
 */
export function chunkPassed(bytes: number): void {
  passed += bytes;
  if (passed < COLLECTED_BYTES) return;
  passed = 0;
  collect({ type: "minor" });
}
