/** Merges a loaded list with a newer version of its first page. */
import type { List } from "../api/types.ts";

/** Limits the rows kept on a page that stays open for days. Older rows can be loaded again. */
export const ROWS_MAX = 500;

interface Row {
  id: string;
}
export interface Pages<T> {
  pages: List<T>[];
  pageParams: (string | undefined)[];
}

/** Returns the loaded rows in the same order, each in its newest state. */
export function overlay<T extends Row>(loaded: T[], fresh: T[], singles: ReadonlyMap<string, T>): T[] {
  const newest = new Map(fresh.map((row) => [row.id, row]));
  return loaded.map((row) => newest.get(row.id) ?? singles.get(row.id) ?? row);
}

/** Returns rows on the new first page that are not loaded yet. Rows below the last loaded row are older, not new. */
export function newRows<T extends Row>(loaded: T[], fresh: T[]): T[] {
  const known = new Set(loaded.map((row) => row.id));
  const last = fresh.findLastIndex((row) => known.has(row.id));
  return last === -1 ? fresh : fresh.slice(0, last).filter((row) => !known.has(row.id));
}

/**
 * Returns the list with its first page replaced. If none of the rows on the new first page were already loaded,
 * more than a page of rows has been added. The rows in between are unknown, so the list starts over.
 */
export function insertNewRows<T extends Row>(loaded: Pages<T>, fresh: List<T>): Pages<T> {
  const rows = loaded.pages.flatMap((page) => page.data);
  const first = new Set(fresh.data.map((row) => row.id));
  const last = rows.findLastIndex((row) => first.has(row.id));
  if (last === -1) return { pages: [fresh], pageParams: [undefined] };
  const all = [...fresh.data, ...rows.slice(last + 1)];
  const data = all.slice(0, ROWS_MAX);
  const end = loaded.pages.at(-1);
  const cut = data.length < all.length || end?.has_more === true;
  // The search for matching rows may have gone past the last match, so continue from where it stopped.
  const next = data.length < all.length ? data.at(-1)!.id : (end?.next ?? null);
  return { pages: [{ object: "list", data, has_more: cut, next }], pageParams: [undefined] };
}
