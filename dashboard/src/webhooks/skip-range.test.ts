import { describe, expect, test } from "vitest";
import { skipFaults, skipRange, skipWords } from "./skip-range.ts";

const plain = (text: string) => text.replaceAll("\u00a0", " ");
const unix = (field: string) => new Date(field).getTime() / 1_000;
const [NOON, ONE] = ["2026-11-23T12:00", "2026-11-23T13:00"];

describe("what is skipped on resume", () => {
  test("is all before a moment, or what lies between two", () => {
    expect(skipRange({ from: undefined, before: NOON })).toEqual({ since: undefined, until: unix(NOON) });
    expect(skipRange({ from: NOON, before: ONE })).toEqual({ since: unix(NOON), until: unix(ONE) });
    expect(skipFaults({ from: NOON, before: ONE })).toEqual({});
  });
  test("is nothing while a field is empty, or the end is not after the beginning", () => {
    for (const draft of [
      { from: undefined, before: "" },
      { from: "", before: NOON },
      { from: ONE, before: NOON },
      { from: NOON, before: NOON },
    ])
      expect(skipRange(draft)).toBeUndefined();
    expect(skipFaults({ from: "", before: "" })).toEqual({ from: CHOOSE, before: CHOOSE });
    expect(skipFaults({ from: ONE, before: NOON })).toEqual({ before: "This has to be after the beginning." });
  });
  test("is told with its count, and what is left", () => {
    expect(skipWords(undefined, 3)).toBe("Counting…");
    expect(plain(skipWords({ total: 2, has_more: false }, 3))).toBe("2 deliveries will be skipped, 1 delivery sent.");
    expect(skipWords({ total: 0, has_more: false }, 3)).toBe("None of them happened then: all will be sent.");
    expect(plain(skipWords({ total: 100_000, has_more: true }, 100_000))).toBe(
      "More than 100,000 deliveries will be skipped.",
    );
  });
});

const CHOOSE = "Choose a day and a time.";
