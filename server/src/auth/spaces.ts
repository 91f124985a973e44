import { unixSeconds } from "../kernel/clock.ts";
import { MaveError } from "../kernel/errors.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import type { Database, Sql } from "../store/db.ts";
import { getSpace, renameSpace, type SpaceRow } from "../store/spaces.ts";

/** The API object for a space. Times are in Unix seconds. */
export interface Space {
  id: string;
  object: "space";
  created: number;
  name: string;
}

/** Reads and renames spaces. */
export interface Spaces {
  get(id: string): Promise<Space>;
  rename(tx: Sql, id: string, name: string): Promise<Space>;
}

export function createSpaces({ db }: { db: Database }): Spaces {
  return {
    get: async (id) => present(await getSpace(db, id)),
    rename: async (tx, id, name) => present(await renameSpace(tx, id, name.trim())),
  };
}

function present(row: SpaceRow | undefined): Space {
  if (!row) throw new MaveError("NOT_FOUND");
  return { id: shortUuid(row.id), object: "space", created: unixSeconds(row.created_at.getTime()), name: row.name };
}
