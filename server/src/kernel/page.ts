import { MaveError } from "./errors.ts";

/** One page of a list. Lists use keyset pagination: the cursor is the id of an item, not an offset. */
export interface Page<Item> {
  object: "list";
  data: Item[];
  has_more: boolean;
  /** The value of `after` for the next page. */
  next: string | null;
}

/** Selects a page of at most `limit` items, after or before (not both) the item with the given id. */
export interface PageQuery {
  limit: number;
  after?: string | undefined;
  before?: string | undefined;
}

/**
 * Finds one page.
 * @param readCursor converts a public id to a store id; returns null if it is not a valid id
 * @param find the store's two queries: one reads forward from a cursor (or from the start of the list if it is null),
 *   the other reads backward
 */
export async function pageOf<Row, Item extends { id: string }>(
  query: PageQuery,
  readCursor: (id: string) => string | null,
  present: (row: Row) => Item,
  find: {
    after(cursor: string | null, limit: number): Promise<Row[]>;
    before(cursor: string, limit: number): Promise<Row[]>;
  },
): Promise<Page<Item>> {
  const { limit } = query;
  const before = cursor("before", query.before, readCursor);
  const after = cursor("after", query.after, readCursor);
  const rows = before === null ? await find.after(after, limit + 1) : await find.before(before, limit + 1);
  const data = rows.slice(0, limit).map(present);
  if (before !== null) data.reverse();
  // A page before an item is always followed by at least that item.
  const has_more = before === null ? rows.length > limit : data.length > 0;
  return { object: "list", data, has_more, next: has_more ? (data.at(-1)?.id ?? null) : null };
}

function cursor(name: string, id: string | undefined, readCursor: (id: string) => string | null): string | null {
  if (id === undefined) return null;
  const found = readCursor(id);
  if (found !== null) return found;
  const detail = "This is not a valid id. Pass the previous page's `next`.";
  throw new MaveError("REQUEST_INVALID", detail, { errors: [{ path: `/${name}`, detail }] });
}
