import { refuse } from "./input.ts";

/** What `Mave-Signature: t=1785443715, v1=9756…` says. */
export interface SignatureHeader {
  /** As written: it is a part of the key. */
  t: string;
  time: number;
  /** 32 bytes each; several while a secret is being rotated. */
  signatures: readonly Uint8Array[];
}

/** Reads the header strictly: one `t` of digits, at least one `v1` of 64 hexadecimal digits, other schemes ignored. */
export function readSignatureHeader(value: string): SignatureHeader {
  const parts = value.split(",").map((part) => part.trim().split(/=(.*)/s, 2));
  const valuesOf = (scheme: string) => parts.filter(([name]) => name === scheme).map(([, text]) => text ?? "");
  const [t, ...moreTimes] = valuesOf("t");
  if (t === undefined) return malformed("it has no t");
  if (moreTimes.length > 0) return malformed(`it has ${moreTimes.length + 1} t where one is expected`);
  if (!/^\d{1,15}$/.test(t)) return malformed("its t is not a time in whole seconds");
  if (t.length > 11) return malformed("its t is too large to be a time in seconds; it may be in milliseconds");
  const written = valuesOf("v1");
  if (written.length === 0) return malformed("it has no v1");
  const signatures = written.filter((hex) => /^[0-9a-f]{64}$/i.test(hex)).map(fromHex);
  if (signatures.length === 0) return malformed("its v1 is not 64 hexadecimal digits");
  return { t, time: Number(t), signatures };
}

const malformed = (what: string) =>
  refuse(
    "HEADER_MALFORMED",
    `Mave-Signature cannot be read: ${what}. It has the form "t=1785443715, v1=<64 hexadecimal digits>"; a proxy or a copy may have changed it.`,
  );

const fromHex = (hex: string) =>
  Uint8Array.from({ length: 32 }, (_, index) => Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16));
