/** How a list that was loaded and its first page as it is now become one. Pure. */
import type { List } from "../api/types.ts";

/** A page left open for days must not grow without end; older rows can be loaded again. */
export const ROWS_MAX = 500;

interface Row {
  id: string;
}
export interface Pages<T> {
  pages: List<T>[];
  pageParams: (string | undefined)[];
}

/** What was loaded, each row in its newest state; nothing moves. */
export function overlay<T extends Row>(loaded: T[], fresh: T[], singles: ReadonlyMap<string, T>): T[] {
  const newest = new Map(fresh.map((row) => [row.id, row]));
  return loaded.map((row) => newest.get(row.id) ?? singles.get(row.id) ?? row);
}

/** The rows of the first page that are not shown yet. Those below the last known one are older, and not new. */
export function entering<T extends Row>(loaded: T[], fresh: T[]): T[] {
  const known = new Set(loaded.map((row) => row.id));
  const last = fresh.findLastIndex((row) => known.has(row.id));
  return last === -1 ? fresh : fresh.slice(0, last).filter((row) => !known.has(row.id));
}

/**
 * The list with the first page as it is now, and behind it what was loaded below that. Where nothing of the first page
 * is known, it has moved on by more than a page: what lies between is not known, so the list begins anew.
 */
export function enter<T extends Row>(loaded: Pages<T>, fresh: List<T>): Pages<T> {
  const rows = loaded.pages.flatMap((page) => page.data);
  const first = new Set(fresh.data.map((row) => row.id));
  const last = rows.findLastIndex((row) => first.has(row.id));
  if (last === -1) return { pages: [fresh], pageParams: [undefined] };
  const all = [...fresh.data, ...rows.slice(last + 1)];
  const data = all.slice(0, ROWS_MAX);
  const end = loaded.pages.at(-1);
  const cut = data.length < all.length || end?.has_more === true;
  // Where it was looked further than the last row, it goes on from there.
  const next = data.length < all.length ? data.at(-1)!.id : (end?.next ?? null);
  return { pages: [{ object: "list", data, has_more: cut, next }], pageParams: [undefined] };
}
