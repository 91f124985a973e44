import type { Sql, Statement } from "./db.ts";

export interface SpaceRow {
  id: string;
  name: string;
  claimed_at: Date | null;
  created_at: Date;
}

/** A new server has one space, which becomes the owner's. */
const FIRST: Statement = {
  name: "space_first",
  text: "select id, name, claimed_at, created_at from spaces order by created_at, id limit 1",
};
export async function firstSpace(sql: Sql): Promise<SpaceRow> {
  const [space] = await sql.run<SpaceRow>(FIRST);
  if (space === undefined) throw new Error("The database has no space: its migrations have not run.");
  return space;
}

/** Locks the row, so that only one of several concurrent sign-ups becomes the owner. */
const LOCK_FIRST: Statement = {
  name: "space_lock_first",
  text: "select id, name, claimed_at, created_at from spaces order by created_at, id limit 1 for update",
};
export async function lockFirstSpace(tx: Sql): Promise<SpaceRow> {
  return (await tx.run<SpaceRow>(LOCK_FIRST))[0]!;
}

const CLAIM: Statement = { name: "space_claim", text: "update spaces set claimed_at = now() where id = $1" };
export async function claimSpace(tx: Sql, id: string): Promise<void> {
  await tx.run(CLAIM, [id]);
}

const GET: Statement = { name: "space_get", text: "select id, name, claimed_at, created_at from spaces where id = $1" };
export async function getSpace(sql: Sql, id: string): Promise<SpaceRow | undefined> {
  return (await sql.run<SpaceRow>(GET, [id]))[0];
}

const INSERT: Statement = { name: "space_insert", text: "insert into spaces (id, name) values ($1, $2)" };
export async function insertSpace(sql: Sql, id: string, name: string): Promise<void> {
  await sql.run(INSERT, [id, name]);
}

const RENAME: Statement = {
  name: "space_rename",
  text: "update spaces set name = $2 where id = $1 returning id, name, claimed_at, created_at",
};
export async function renameSpace(tx: Sql, id: string, name: string): Promise<SpaceRow | undefined> {
  return (await tx.run<SpaceRow>(RENAME, [id, name]))[0];
}
