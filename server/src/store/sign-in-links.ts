import type { Sql, Statement } from "./db.ts";

export type LinkPurpose = "owner" | "sign_in" | "invitation";

const INSERT: Statement = {
  name: "sign_in_link_insert",
  text: `insert into sign_in_links (hash, purpose, space_id, expires_at)
    values ($1, $2, $3, now() + $4 * interval '1 millisecond') returning expires_at`,
};
export async function insertLink(
  sql: Sql,
  link: { hash: Buffer; purpose: LinkPurpose; space: string; valid_ms: number },
): Promise<Date> {
  const values = [link.hash, link.purpose, link.space, link.valid_ms];
  return (await sql.run<{ expires_at: Date }>(INSERT, values))[0]!.expires_at;
}

/** Reads a link without marking it as used. */
const FIND: Statement = {
  name: "sign_in_link_find",
  text: "select purpose, space_id from sign_in_links where hash = $1 and used_at is null and expires_at > now()",
};
export interface LinkRow {
  purpose: LinkPurpose;
  space_id: string;
}
export async function findLink(sql: Sql, hash: Buffer): Promise<LinkRow | undefined> {
  return (await sql.run<LinkRow>(FIND, [hash]))[0];
}

/** Marks a link as used. Only one of several concurrent calls gets the row. */
const USE: Statement = {
  name: "sign_in_link_use",
  text: `update sign_in_links set used_at = now()
    where hash = $1 and purpose = $2 and used_at is null and expires_at > now() returning purpose, space_id`,
};
export async function useLink(tx: Sql, hash: Buffer, purpose: LinkPurpose): Promise<LinkRow | undefined> {
  return (await tx.run<LinkRow>(USE, [hash, purpose]))[0];
}

/** Deletes expired links, and every first-run link once there is an owner. */
const SWEEP: Statement = {
  name: "sign_in_links_sweep",
  text: `delete from sign_in_links where expires_at < now() - interval '1 day'
    or (purpose = 'owner' and exists (select from spaces where id = sign_in_links.space_id and claimed_at is not null))`,
};
export async function sweepLinks(sql: Sql): Promise<void> {
  await sql.run(SWEEP);
}
