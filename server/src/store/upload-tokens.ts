import type { Sql, Statement } from "./db.ts";

const insert: Statement = {
  name: "upload_token_insert",
  text: `insert into upload_tokens (space_id, video_id, hash, expires_at)
    values ($1, $2, $3, now() + $4 * interval '1 ms') returning expires_at`,
};

/** Stores the SHA-256 of a token. @returns when it expires */
export async function insertUploadToken(
  tx: Sql,
  token: { space: string; video: string; hash: Buffer; valid_ms: number },
): Promise<Date> {
  const values = [token.space, token.video, token.hash, token.valid_ms];
  return (await tx.run<{ expires_at: Date }>(insert, values))[0]!.expires_at;
}

const find: Statement = {
  name: "upload_token_find",
  text: `select space_id, video_id from upload_tokens where hash = $1 and expires_at > now()`,
};

/** Finds the one video to which this token allows uploads. @returns undefined if the token is unknown or expired */
export async function findUploadToken(
  sql: Sql,
  hash: Buffer,
): Promise<{ space_id: string; video_id: string } | undefined> {
  return (await sql.run<{ space_id: string; video_id: string }>(find, [hash]))[0];
}

const drop: Statement = {
  name: "upload_tokens_drop_expired",
  text: "delete from upload_tokens where expires_at < now()",
};

export async function dropExpiredUploadTokens(sql: Sql): Promise<void> {
  await sql.run(drop);
}
