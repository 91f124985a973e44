import { MaveError } from "./errors.ts";

/** One page of a list, and the way to the next. Lists are walked by keyset: the cursor is an item's id, never a count. */
export interface Page<Item> {
  object: "list";
  data: Item[];
  has_more: boolean;
  /** What to pass as `after` for the next page. */
  next: string | null;
}

/** Which page: after or before the item of that id (not both), at most `limit`. */
export interface PageQuery {
  limit: number;
  after?: string | undefined;
  before?: string | undefined;
}

/**
 * Finds one page.
 * @param readCursor from an id as the outside writes it to the store's; null where it cannot be one
 * @param find the store's two ways: on from a cursor in the list's order (null: from its begin), and back from one
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
  // Going back, what `before` stands for comes next in the list's order.
  const has_more = before === null ? rows.length > limit : data.length > 0;
  return { object: "list", data, has_more, next: has_more ? (data.at(-1)?.id ?? null) : null };
}

function cursor(name: string, id: string | undefined, readCursor: (id: string) => string | null): string | null {
  if (id === undefined) return null;
  const found = readCursor(id);
  if (found !== null) return found;
  const detail = "This is no id. Pass the `next` of the page before.";
  throw new MaveError("REQUEST_INVALID", detail, { errors: [{ path: `/${name}`, detail }] });
}
