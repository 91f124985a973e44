import type { Random } from "./random.ts";

/** Values below and above every id, used as bounds when walking all ids. */
export const UUID_MIN = "00000000-0000-0000-0000-000000000000";
export const UUID_MAX = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/** Whether `text` is a lowercase UUID in the 36-character form. */
export const isUuid = (text: string): boolean => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

/**
 * Returns a UUIDv7 (RFC 9562 §5.7): 48 bits of time, then random bits, so that rows created at the same time are
 * adjacent in an index.
 * @param time_ms ms since the Unix epoch
 */
export function uuidV7(time_ms: number, random: Random): string {
  const bytes = random.bytes(16);
  bytes.writeUIntBE(time_ms, 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Returns a lower bound for UUIDv7s created at this time, so that a time range can be converted to an id range. */
export function uuidFloor(time_ms: number): string {
  const hex = Math.max(0, time_ms).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-0000-0000-000000000000`;
}
