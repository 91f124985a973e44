import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { List } from "../api/types.ts";
import { insertNewRows, newRows, overlay, ROWS_MAX } from "./merge.ts";

const row = (id: string, state = "old") => ({ id, state });
const rows = (ids: string) => [...ids].map((id) => row(id));
const ids = (list: { id: string }[]) => list.map(({ id }) => id).join("");
const page = <T>(data: T[], has_more = false): List<T> => ({ object: "list", data, has_more, next: null });
const loaded = (text: string, has_more = false) => ({ pages: [page(rows(text), has_more)], pageParams: [undefined] });

describe("the rows shown", () => {
  test("change in place and keep their order", () => {
    const shown = overlay(rows("cba"), [row("b", "new"), row("c")], new Map([["a", row("a", "alone")]]));
    expect(shown).toEqual([row("c"), row("b", "new"), row("a", "alone")]);
  });
});

describe("the new rows", () => {
  test("are the rows on the first page that are not loaded yet", () => {
    expect(ids(newRows(rows("ba"), rows("dcba")))).toBe("dc");
    expect(ids(newRows([], rows("ba")))).toBe("ba");
  });
  test("include an older row that now matches the filter", () => {
    expect(ids(newRows(rows("ca"), rows("cba")))).toBe("b");
  });
  test("exclude older rows that moved to the first page because a newer row no longer matches the filter", () => {
    expect(ids(newRows(rows("dcb"), rows("cba")))).toBe("");
  });
});

describe("inserting new rows", () => {
  test("puts the new first page above the older rows that were already loaded", () => {
    expect(ids(insertNewRows(loaded("cba"), page(rows("edc"))).pages[0]!.data)).toBe("edcba");
  });
  test("continues from where the search for matching rows stopped, even if that is beyond the last row", () => {
    const walked = { ...loaded("cba"), pages: [{ ...page(rows("cba"), true), next: "far back" }] };
    expect(insertNewRows(walked, page(rows("dcb"))).pages[0]).toMatchObject({ has_more: true, next: "far back" });
  });
  test("starts the list over if more than a page of rows was added", () => {
    expect(ids(insertNewRows(loaded("cba", true), page(rows("zyx"), true)).pages[0]!.data)).toBe("zyx");
  });
  test("never duplicates a row, keeps the newest first, and limits the length of the list", () => {
    const number = fc.integer({ min: 0, max: 1_500 });
    fc.assert(
      fc.property(number, number, fc.integer({ min: 1, max: 60 }), (before, more, limit) => {
        const list = (top: number, count: number) => Array.from({ length: count }, (_, at) => row(String(top - at)));
        const pages = { pages: [page(list(before, before), false)], pageParams: [undefined] };
        const top = before + more;
        const shown = insertNewRows(pages, page(list(top, Math.min(limit, top)), true)).pages[0]!.data.map(({ id }) =>
          Number(id),
        );
        expect(shown).toEqual(shown.map((_, at) => top - at));
        expect(shown.length).toBeLessThanOrEqual(Math.max(ROWS_MAX, limit));
      }),
    );
  });
});
