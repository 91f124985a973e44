import { createHash } from "node:crypto";
import { LIMITS } from "../kernel/limits.ts";
import type { Random } from "../kernel/random.ts";
import type { Sql } from "../store/db.ts";
import { insertLink } from "../store/sign-in-links.ts";
import { firstSpace } from "../store/spaces.ts";

const BYTES = 32;

/**
 * Makes a link that signs the owner in once, or makes the owner where there is none yet. The token stands behind the
 * `#`, so that no server or proxy on the way logs it; the database holds its hash only.
 * @returns the whole address, to be opened once
 */
export async function createSignInLink(sql: Sql, random: Random, publicUrl: string): Promise<string> {
  const token = random.bytes(BYTES).toString("base64url");
  const space = await firstSpace(sql);
  const purpose = space.claimed_at === null ? "owner" : "sign_in";
  await insertLink(sql, { hash: hashLinkToken(token), purpose, space: space.id, valid_ms: LIMITS.LINK_VALID_MS });
  return `${publicUrl}/dashboard/link#${token}`;
}

export const hashLinkToken = (token: string): Buffer => createHash("sha256").update(token).digest();
