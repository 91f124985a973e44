import { MaveError } from "./errors.ts";
import { longUuid } from "./short-uuid.ts";

/**
 * Returns the row.
 * @throws NOT_FOUND if there is none; the error is the same for an unknown id and an id from another space
 */
export function requireFound<Row>(row: Row | null | undefined): Row {
  if (row === null || row === undefined) throw new MaveError("NOT_FOUND");
  return row;
}

/** Returns the UUID for an id in a path. @throws NOT_FOUND if the id is not a short UUID */
export const requireUuid = (id: string): string => requireFound(longUuid(id));
