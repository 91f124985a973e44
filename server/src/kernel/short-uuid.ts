import { unixSeconds } from "./clock.ts";

/**
 * A short UUID is a 128-bit UUID in base 57, least significant digit first, right-padded to 22 characters. Short UUIDs
 * do not sort by time, because their digits are reversed, so store and sort UUIDs, and convert them only in the API.
 */
const ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const LENGTH = 22;
const BASE = BigInt(ALPHABET.length);
const UUID_END = 1n << 128n;
/**
 * How many digits one BigInt division yields: as many as a number can hold exactly. One division per digit took three
 * times as long.
 */
const STRIDE = 9;
const STRIDE_VALUE = BASE ** BigInt(STRIDE);
const VALUES = new Map([...ALPHABET].map((character, index) => [character, BigInt(index)]));

/** @param uuid the 36-character form; @returns 22 characters of the alphabet */
export function shortUuid(uuid: string): string {
  let rest = BigInt(`0x${uuid.replaceAll("-", "")}`);
  let short = "";
  for (; short.length < LENGTH; rest /= STRIDE_VALUE) short += digitsOf(Number(rest % STRIDE_VALUE));
  return short.slice(0, LENGTH);
}

function digitsOf(value: number): string {
  let digits = "";
  for (let left = value; digits.length < STRIDE; left = Math.floor(left / ALPHABET.length))
    digits += ALPHABET[left % ALPHABET.length];
  return digits;
}

/** @returns the lowercase 36-character UUID, or null if `short` is not a short UUID */
export function longUuid(short: string): string | null {
  if (short.length !== LENGTH) return null;
  let value = 0n;
  for (const character of [...short].reverse()) {
    const digit = VALUES.get(character);
    if (digit === undefined) return null;
    value = value * BASE + digit;
  }
  if (value >= UUID_END) return null;
  const hex = value.toString(16).padStart(32, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Returns the time in a UUIDv7, in whole seconds. A delivery's id contains its event's time. */
export const idSeconds = (uuid: string): number =>
  unixSeconds(Number.parseInt(uuid.replaceAll("-", "").slice(0, 12), 16));
