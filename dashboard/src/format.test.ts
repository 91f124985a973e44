import { describe, expect, test } from "vitest";
import { ago, bytes, duration, length, percent, plural, span } from "./format.ts";

const plain = (text: string) => text.replaceAll("\u00a0", " ");
const NOON = Date.UTC(2026, 10, 23, 12) / 1_000;

describe("in the dashboard", () => {
  test("a time less than a day ago is shown as a relative time in one unit", () => {
    expect(plain(ago(NOON, NOON + 1))).toBe("now");
    expect(plain(ago(NOON, NOON + 12))).toBe("12 s ago");
    expect(plain(ago(NOON, NOON + 400))).toBe("6 min ago");
    expect(plain(ago(NOON, NOON + 7_300))).toBe("2 h ago");
  });
  test("a time before yesterday is shown as a date", () => {
    expect(plain(ago(NOON - 3 * 86_400, NOON))).toMatch(/^Nov 20, \d\d:00$/);
  });
  test("a time span has at most two units", () => {
    expect(plain(span(40))).toBe("40 s");
    expect(plain(span(13_140))).toBe("3 h 39 min");
    expect(plain(span(7_200))).toBe("2 h");
    expect(plain(span(5 * 86_400 + 3_600))).toBe("5 days 1 h");
  });
  test("a duration of 1 s or more is shown in seconds with two decimals", () => {
    expect(plain(duration(184))).toBe("184 ms");
    expect(plain(duration(4_812))).toBe("4.81 s");
    expect(plain(duration(15_000))).toBe("15.00 s");
    expect(duration(null)).toBe("–");
  });
});

describe("in the dashboard", () => {
  test("a percentage is 100% only if the part equals the whole", () => {
    expect(plain(percent(2_829, 2_829))).toBe("100%");
    expect(plain(percent(999_999, 1_000_000))).toBe("99.99%");
    expect(plain(percent(2_517, 2_829))).toBe("89.0%");
    expect(plain(percent(0, 12))).toBe("0%");
    expect(percent(0, 0)).toBe("–");
  });
  test("a byte count uses decimal units", () => {
    expect(plain(bytes(118))).toBe("118 bytes");
    expect(plain(bytes(1))).toBe("1 byte");
    expect(plain(bytes(912_400_000))).toBe("912 MB");
    expect(plain(bytes(1_800_000_000))).toBe("1.8 GB");
    expect(plain(bytes(999_700))).toBe("1.0 MB");
  });
  test("a video's length is shown in minutes and seconds, with hours if needed", () => {
    expect(length(84)).toBe("1:24");
    expect(length(3_738)).toBe("1:02:18");
  });
  test("a noun is singular after a count of one, and plural otherwise", () => {
    expect(plain(plural(1, "delivery", "deliveries"))).toBe("1 delivery");
    expect(plain(plural(1_204, "delivery", "deliveries"))).toBe("1,204 deliveries");
  });
});
