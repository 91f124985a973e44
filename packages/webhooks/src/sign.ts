import { hmac } from "./hmac.ts";
import { bytesOf, type RawBody, secretsOf } from "./input.ts";

export interface SignOptions {
  /** The Standard Webhooks `webhook-id`. Default: the body's `id`, if it has one. */
  id?: string;
  /** The signature's time in Unix seconds. Default: the current time. */
  now?: number;
}

/**
 * Signs a body as Mave does, for testing a receiver.
 * @param secrets the webhook's secret or, to simulate a rotation, several secrets with the newest first
 * @returns the `Mave-Signature` header, and the three Standard Webhooks headers if there is an id and every secret is
 * `whsec_` followed by base64
 */
export async function sign(
  rawBody: RawBody,
  secrets: string | readonly string[],
  options: SignOptions = {},
): Promise<Record<string, string>> {
  const [keys, body] = [secretsOf(secrets), bytesOf(rawBody)];
  const { now = Math.floor(Date.now() / 1000), id = idIn(body) } = options;
  const encode = (text: string) => new TextEncoder().encode(text);
  const mave = await Promise.all(keys.map(async (secret) => hex(await hmac(encode(`${now}.${secret}`), body))));
  const headers: Record<string, string> = { "Mave-Signature": maveSignature(now, mave) };
  const standardKeys = keys.map(standardKey);
  if (id === undefined || !standardKeys.every((key) => key !== null)) return headers;
  const message = concatenate(encode(`${id}.${now}.`), body);
  const standard = await Promise.all(standardKeys.map(async (key) => `v1,${base64(await hmac(key, message))}`));
  return Object.assign(headers, standardHeaders(id, now, standard));
}

export const maveSignature = (time: number, signatures: readonly string[]): string =>
  `t=${time}${signatures.map((signature) => `, v1=${signature}`).join("")}`;

export const standardHeaders = (id: string, time: number, signatures: readonly string[]) => ({
  "webhook-id": id,
  "webhook-timestamp": String(time),
  "webhook-signature": signatures.join(" "),
});

function standardKey(secret: string): Uint8Array | null {
  try {
    return secret.startsWith("whsec_") ? Uint8Array.from(atob(secret.slice(6)), (c) => c.charCodeAt(0)) : null;
  } catch {
    return null; // not base64, so the secret works only for Mave-Signature
  }
}

function idIn(body: Uint8Array): string | undefined {
  try {
    const { id } = JSON.parse(new TextDecoder().decode(body));
    return typeof id === "string" ? id : undefined;
  } catch {
    return undefined; // not JSON, but any bytes can be signed
  }
}

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const base64 = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));

function concatenate(a: Uint8Array, b: Uint8Array): Uint8Array {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}
