import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import type { Random } from "../kernel/random.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import { isUuid } from "../kernel/uuid.ts";

/**
 * Webhook secrets and custom header values are sealed with AES-256-GCM before they are stored. The format is:
 *
 *     version (1 byte) · key id (8) · nonce (12) · tag (16) · ciphertext
 *
 * Each sealed value is bound to its webhook, so a value copied to another row cannot be opened.
 */
export interface Vault {
  /** @param owner the webhook's id (UUID) */
  seal(text: string, owner: string): Buffer;
  /** @throws if the vault does not have the key, the value was altered, or the value belongs to another owner */
  open(sealed: Buffer, owner: string): string;
  /** Returns the last characters of a sealed secret, or null if the vault lacks the key, so that pages still load. */
  hint(sealed: Buffer, owner: string): string | null;
  /** Whether the value was sealed with the vault's first key. */
  current(sealed: Buffer): boolean;
}

const VERSION = 1;
const KEY_ID_BYTES = 8; // a server has a handful of keys
const NONCE_BYTES = 12; // prescribed for GCM (NIST SP 800-38D)
const TAG_BYTES = 16; // the longest that GCM offers
const HEAD_BYTES = 1 + KEY_ID_BYTES;

/** @param keys 32 bytes each. The first key seals values and any key opens them, so keys can be rotated online. */
export function createVault(keys: readonly Buffer[], random: Random): Vault {
  const rings = keys.map((key) => ({ key, head: Buffer.concat([Buffer.of(VERSION), keyId(key)]) }));
  const [newest] = rings;
  if (newest === undefined) throw new Error("A vault needs at least one key");
  const vault: Vault = {
    seal(text, owner) {
      const nonce = random.bytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", newest.key, nonce).setAAD(aad(newest.head, owner));
      const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return Buffer.concat([newest.head, nonce, cipher.getAuthTag(), sealed]);
    },
    open(sealed, owner) {
      const ring = rings.find(({ head }) => head.equals(sealed.subarray(0, HEAD_BYTES)));
      if (ring === undefined)
        throw new Error(`Cannot decrypt ${nameOf(owner)}: the key it was sealed with is not in MAVE_SECRETS_KEY.`);
      const [nonceEnd, tagEnd] = [HEAD_BYTES + NONCE_BYTES, HEAD_BYTES + NONCE_BYTES + TAG_BYTES];
      const decipher = createDecipheriv("aes-256-gcm", ring.key, sealed.subarray(HEAD_BYTES, nonceEnd));
      decipher.setAAD(aad(ring.head, owner)).setAuthTag(sealed.subarray(nonceEnd, tagEnd));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(tagEnd)), decipher.final()]).toString("utf8");
      } catch (cause) {
        throw new Error(`Cannot decrypt ${nameOf(owner)}: the stored value was altered or belongs elsewhere.`, {
          cause,
        });
      }
    },
    hint(sealed, owner) {
      const fits = rings.some(({ head }) => head.equals(sealed.subarray(0, HEAD_BYTES)));
      return fits ? secretHint(vault.open(sealed, owner)) : null;
    },
    current: (sealed) => newest.head.equals(sealed.subarray(0, HEAD_BYTES)),
  };
  return vault;
}

const nameOf = (owner: string): string =>
  isUuid(owner) ? `the secrets of webhook ${shortUuid(owner)}` : "a response stored for an Idempotency-Key";

const keyId = (key: Buffer): Buffer => createHash("sha256").update(key).digest().subarray(0, KEY_ID_BYTES);
const aad = (head: Buffer, owner: string): Buffer => Buffer.concat([head, Buffer.from(owner)]);

const PREFIX = "whsec_";
const NEW_SECRET_BYTES = 24; // encodes to 32 base64 characters without padding, which both signature schemes accept
const OWN_SECRET_BYTES = { min: 24, max: 64 };

export const newSecret = (random: Random): string => PREFIX + random.bytes(NEW_SECRET_BYTES).toString("base64");

const HINT_CHARACTERS = 4; // enough to tell two secrets apart, but too few to weaken a secret

export const secretHint = (secret: string): string => secret.slice(-HINT_CHARACTERS);

/** Returns what is wrong with a secret provided by the caller, or null if it is valid. */
export function secretFault(secret: string): string | null {
  if (!secret.startsWith(PREFIX)) return `A secret must start with ${PREFIX}.`;
  const written = secret.slice(PREFIX.length);
  const bytes = Buffer.from(written, "base64");
  if (bytes.toString("base64") !== written) return "After whsec_, a secret must be padded base64 without spaces.";
  const { min, max } = OWN_SECRET_BYTES;
  return bytes.length < min || bytes.length > max ? `A secret must have ${min} to ${max} bytes after whsec_.` : null;
}
