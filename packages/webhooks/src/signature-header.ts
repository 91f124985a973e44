import { refuse } from "./input.ts";

/** A parsed header, such as `Mave-Signature: t=1785443715, v1=9756…`. */
export interface SignatureHeader {
  /** The time exactly as written, because that text is part of the HMAC key. */
  t: string;
  /** Unix seconds. */
  time: number;
  /** Each is 32 bytes. There are several during a secret rotation. */
  signatures: readonly Uint8Array[];
}

/**
 * Parses the header, which must have exactly one numeric `t` and at least one `v1` of 64 hex digits. Ignores other
 * schemes.
 */
export function readSignatureHeader(value: string): SignatureHeader {
  const parts = value.split(",").map((part) => part.trim().split(/=(.*)/s, 2));
  const valuesOf = (scheme: string) => parts.filter(([name]) => name === scheme).map(([, text]) => text ?? "");
  const [t, ...moreTimes] = valuesOf("t");
  if (t === undefined) return malformed("it has no t value");
  if (moreTimes.length > 0) return malformed(`it has ${moreTimes.length + 1} t values instead of one`);
  if (!/^\d{1,15}$/.test(t)) return malformed("its t is not a Unix time in whole seconds");
  if (t.length > 11) return malformed("its t is too large for a Unix time in seconds and may be in milliseconds");
  const written = valuesOf("v1");
  if (written.length === 0) return malformed("it has no v1 value");
  const signatures = written.filter((hex) => /^[0-9a-f]{64}$/i.test(hex)).map(fromHex);
  if (signatures.length === 0) return malformed("its v1 is not 64 hexadecimal digits");
  return { t, time: Number(t), signatures };
}

const malformed = (what: string) =>
  refuse(
    "HEADER_MALFORMED",
    `The Mave-Signature header is malformed: ${what}. Expected "t=1785443715, v1=<64 hexadecimal digits>". A proxy may have changed the header, or it was not copied in full.`,
  );

const fromHex = (hex: string) =>
  Uint8Array.from({ length: 32 }, (_, index) => Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16));
