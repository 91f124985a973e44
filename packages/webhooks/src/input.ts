import { type ReasonCode, WebhookVerificationError } from "./errors.ts";

/** The body as it arrived: bytes, or text where the runtime decodes UTF-8 without loss. */
export type RawBody = string | Uint8Array | ArrayBuffer;

/** A `Headers` object, or a plain one with names in any case (as Node, Express and Fastify have it). */
export type HeadersLike =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

export const refuse = (code: ReasonCode, detail?: string): never => {
  throw new WebhookVerificationError(code, detail);
};

/** @returns the very bytes that were signed, or refuses what no longer has them */
export function bytesOf(body: unknown): Uint8Array {
  let bytes: Uint8Array;
  if (typeof body === "string") bytes = new TextEncoder().encode(body);
  // isView and the tag, not instanceof: a buffer from another realm (a test runner's) is a buffer too.
  else if (ArrayBuffer.isView(body)) bytes = new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  else if (Object.prototype.toString.call(body) === "[object ArrayBuffer]") bytes = new Uint8Array(body as ArrayBuffer);
  else if (body == null) return refuse("BODY_EMPTY");
  else return refuse("BODY_PARSED");
  return bytes.length === 0 ? refuse("BODY_EMPTY") : bytes;
}

/** @returns the secrets, each fit to be a key; a secret that was copied badly is told from a wrong one here */
export function secretsOf(secrets: string | readonly string[]): readonly string[] {
  const list = typeof secrets === "string" ? [secrets] : secrets;
  if (!Array.isArray(list) || list.length === 0) return refuse("SECRET_MISSING");
  for (const secret of list as unknown[]) {
    if (typeof secret !== "string" || secret === "") return refuse("SECRET_MISSING");
    if (/\s/.test(secret)) return refuse("SECRET_WHITESPACE");
    if (/^(["'`]).*\1$/.test(secret)) return refuse("SECRET_QUOTED");
  }
  return list;
}

/** @returns the header's value, several joined as HTTP joins them; null where there is none */
export function headerOf(headers: HeadersLike, name: string): string | null {
  if (typeof (headers as Headers | null)?.get === "function") return (headers as Headers).get(name);
  for (const [key, value] of Object.entries(headers ?? {})) {
    if (key.toLowerCase() === name && value != null) return Array.isArray(value) ? value.join(", ") : String(value);
  }
  return null;
}
