import { describe, expect, test } from "vitest";
import { merge } from "./live-list.ts";

const row = (id: string, state = "old") => ({ id, state });
const none = new Map<string, { id: string; state: string }>();

describe("merging what is loaded with what is fresh", () => {
  test("known rows change in place and keep their order", () => {
    const { rows } = merge([row("c"), row("b"), row("a")], [row("b", "new"), row("c")], none);
    expect(rows).toEqual([row("c"), row("b", "new"), row("a")]);
  });
  test("rows above the top one are entering", () => {
    const { rows, entering } = merge([row("b"), row("a")], [row("d"), row("c"), row("b")], none);
    expect(rows.map(({ id }) => id)).toEqual(["b", "a"]);
    expect(entering.map(({ id }) => id)).toEqual(["d", "c"]);
  });
  test("a row that left the first page shows what was read of it alone", () => {
    const { rows } = merge([row("b"), row("a")], [row("c"), row("b")], new Map([["a", row("a", "single")]]));
    expect(rows[1]).toEqual(row("a", "single"));
  });
  test("into an empty list everything enters", () => {
    expect(merge([], [row("a")], none).entering).toEqual([row("a")]);
  });
});
