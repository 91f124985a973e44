import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { List } from "../api/types.ts";
import { enter, entering, overlay, ROWS_MAX } from "./merge.ts";

const row = (id: string, state = "old") => ({ id, state });
const rows = (ids: string) => [...ids].map((id) => row(id));
const ids = (list: { id: string }[]) => list.map(({ id }) => id).join("");
const page = <T>(data: T[], has_more = false): List<T> => ({ object: "list", data, has_more, next: null });
const loaded = (text: string, has_more = false) => ({ pages: [page(rows(text), has_more)], pageParams: [undefined] });

describe("what is shown while the reader reads", () => {
  test("changes in place and keeps its order", () => {
    const shown = overlay(rows("cba"), [row("b", "new"), row("c")], new Map([["a", row("a", "alone")]]));
    expect(shown).toEqual([row("c"), row("b", "new"), row("a", "alone")]);
  });
});

describe("what waits to enter", () => {
  test("is what the first page has and the list has not", () => {
    expect(ids(entering(rows("ba"), rows("dcba")))).toBe("dc");
    expect(ids(entering([], rows("ba")))).toBe("ba");
  });
  test("also in between, where an older row has come to match the filter", () => {
    expect(ids(entering(rows("ca"), rows("cba")))).toBe("b");
  });
  test("but not older rows that moved up because one left the filter", () => {
    expect(ids(entering(rows("dcb"), rows("cba")))).toBe("");
  });
});

describe("entering", () => {
  test("puts the first page before what was loaded below it", () => {
    expect(ids(enter(loaded("cba"), page(rows("edc"))).pages[0]!.data)).toBe("edcba");
  });
  test("goes on from as far back as was looked, which may be beyond the last row", () => {
    const walked = { ...loaded("cba"), pages: [{ ...page(rows("cba"), true), next: "far back" }] };
    expect(enter(walked, page(rows("dcb"))).pages[0]).toMatchObject({ has_more: true, next: "far back" });
  });
  test("begins anew where more than a page has come", () => {
    expect(ids(enter(loaded("cba", true), page(rows("zyx"), true)).pages[0]!.data)).toBe("zyx");
  });
  test("never shows a row twice, keeps the newest first and stays bounded", () => {
    const number = fc.integer({ min: 0, max: 1_500 });
    fc.assert(
      fc.property(number, number, fc.integer({ min: 1, max: 60 }), (before, more, limit) => {
        const list = (top: number, count: number) => Array.from({ length: count }, (_, at) => row(String(top - at)));
        const pages = { pages: [page(list(before, before), false)], pageParams: [undefined] };
        const top = before + more;
        const shown = enter(pages, page(list(top, Math.min(limit, top)), true)).pages[0]!.data.map(({ id }) =>
          Number(id),
        );
        expect(shown).toEqual(shown.map((_, at) => top - at));
        expect(shown.length).toBeLessThanOrEqual(Math.max(ROWS_MAX, limit));
      }),
    );
  });
});
