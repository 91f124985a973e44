import { MaveError } from "./errors.ts";
import { longUuid } from "./short-uuid.ts";

/** @throws NOT_FOUND if there is no row: the error is the same for an unknown id and another space's id */
export function requireFound<Row>(row: Row | null | undefined): Row {
  if (row === null || row === undefined) throw new MaveError("NOT_FOUND");
  return row;
}

/** The UUID of an id in a path. @throws NOT_FOUND if the id is not a short UUID */
export const requireUuid = (id: string): string => requireFound(longUuid(id));
