import { createHash } from "node:crypto";
import { LIMITS } from "../kernel/limits.ts";
import type { Random } from "../kernel/random.ts";
import type { Sql } from "../store/db.ts";
import { insertLink } from "../store/sign-in-links.ts";
import { firstSpace } from "../store/spaces.ts";

const BYTES = 32;

/**
 * Creates a one-time link that signs the owner in, or lets someone sign up as the owner if there is none yet. The token
 * is in the URL fragment, so it does not appear in server or proxy logs. The database stores only the token's hash.
 * @returns the URL
 */
export async function createSignInLink(sql: Sql, random: Random, publicUrl: string): Promise<string> {
  const token = random.bytes(BYTES).toString("base64url");
  const space = await firstSpace(sql);
  const purpose = space.claimed_at === null ? "owner" : "sign_in";
  await insertLink(sql, { hash: hashLinkToken(token), purpose, space: space.id, valid_ms: LIMITS.LINK_VALID_MS });
  return `${publicUrl}/dashboard/link#${token}`;
}

export const hashLinkToken = (token: string): Buffer => createHash("sha256").update(token).digest();
