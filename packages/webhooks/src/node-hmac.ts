import crypto from "node:crypto";

const BLOCK_BYTES = 64;
const outer = Buffer.alloc(BLOCK_BYTES + 32); // input to the second hash; can be reused, because hashing is synchronous

/**
 * Computes HMAC-SHA256 (RFC 2104) over `head` and `body` with two one-shot hashes. Mave computes two HMACs per attempt,
 * and `createHmac` with a byte key takes eight times as long in Node 24.
 * @param head must be ASCII
 */
export function oneShotHmac(key: Buffer, head: string, body: Uint8Array, encoding: "hex" | "base64"): string {
  const inner = Buffer.allocUnsafe(BLOCK_BYTES + head.length + body.length);
  const block = key.length > BLOCK_BYTES ? crypto.hash("sha256", key, "buffer") : key;
  inner.set(block);
  inner.fill(0, block.length, BLOCK_BYTES);
  for (let index = 0; index < BLOCK_BYTES; index++) {
    outer[index] = inner[index]! ^ 0x5c;
    inner[index]! ^= 0x36;
  }
  inner.write(head, BLOCK_BYTES, "latin1");
  inner.set(body, BLOCK_BYTES + head.length);
  outer.write(crypto.hash("sha256", inner, "hex"), BLOCK_BYTES, "hex");
  return crypto.hash("sha256", outer, encoding);
}
