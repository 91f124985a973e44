import { describe, expect, test } from "vitest";
import { skipErrors, skipPreview, skipRange } from "./skip-range.ts";

const plain = (text: string) => text.replaceAll("\u00a0", " ");
const unix = (field: string) => new Date(field).getTime() / 1_000;
const [NOON, ONE] = ["2026-11-23T12:00", "2026-11-23T13:00"];

describe("the range to skip on resume", () => {
  test("covers all events before a time, or between two times", () => {
    expect(skipRange({ from: undefined, before: NOON })).toEqual({ since: undefined, until: unix(NOON) });
    expect(skipRange({ from: NOON, before: ONE })).toEqual({ since: unix(NOON), until: unix(ONE) });
    expect(skipErrors({ from: NOON, before: ONE })).toEqual({});
  });
  test("is undefined while a field is empty or the end is not after the start", () => {
    for (const draft of [
      { from: undefined, before: "" },
      { from: "", before: NOON },
      { from: ONE, before: NOON },
      { from: NOON, before: NOON },
    ])
      expect(skipRange(draft)).toBeUndefined();
    expect(skipErrors({ from: "", before: "" })).toEqual({ from: REQUIRED, before: REQUIRED });
    expect(skipErrors({ from: ONE, before: NOON })).toEqual({ before: "Enter a time after the start." });
  });
  test("is previewed with the number of deliveries that will be skipped and sent", () => {
    expect(skipPreview(undefined, 3)).toBe("Counting deliveries…");
    expect(plain(skipPreview({ total: 2, has_more: false }, 3))).toBe(
      "2 deliveries will be skipped, and 1 delivery will be sent.",
    );
    expect(skipPreview({ total: 0, has_more: false }, 3)).toBe(
      "No held deliveries are in this range, so all will be sent.",
    );
    expect(plain(skipPreview({ total: 100_000, has_more: true }, 100_000))).toBe(
      "More than 100,000 deliveries will be skipped.",
    );
  });
});

const REQUIRED = "Enter a date and time.";
