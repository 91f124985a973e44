import { type ReasonCode, WebhookVerificationError } from "./errors.ts";

/** The body exactly as received: its bytes, or the same bytes as UTF-8 text. */
export type RawBody = string | Uint8Array | ArrayBuffer;

/** A `Headers` object, or a plain object with names in any case, like those that Node, Express and Fastify provide. */
export type HeadersLike =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

export const refuse = (code: ReasonCode, detail?: string): never => {
  throw new WebhookVerificationError(code, detail);
};

/** @returns the body's bytes @throws WebhookVerificationError if the body is empty or was parsed */
export function bytesOf(body: unknown): Uint8Array {
  let bytes: Uint8Array;
  if (typeof body === "string") bytes = new TextEncoder().encode(body);
  // instanceof would reject buffers from another realm, such as a test runner's.
  else if (ArrayBuffer.isView(body)) bytes = new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  else if (Object.prototype.toString.call(body) === "[object ArrayBuffer]") bytes = new Uint8Array(body as ArrayBuffer);
  else if (body == null) return refuse("BODY_EMPTY");
  else return refuse("BODY_PARSED");
  return bytes.length === 0 ? refuse("BODY_EMPTY") : bytes;
}

/** @returns the secrets as a list @throws WebhookVerificationError if a secret is missing or was copied incorrectly */
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

/** @returns the header's value, with multiple values joined by commas, or null if the header is missing */
export function headerOf(headers: HeadersLike, name: string): string | null {
  if (typeof (headers as Headers | null)?.get === "function") return (headers as Headers).get(name);
  for (const [key, value] of Object.entries(headers ?? {})) {
    if (key.toLowerCase() === name && value != null) return Array.isArray(value) ? value.join(", ") : String(value);
  }
  return null;
}
