import { describe, expect, test } from "vitest";
import { cancelText, progress, selection, size, timeRange } from "./replay-text.ts";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

describe("the text of a replay", () => {
  test("shows the number of events, with an estimated duration if there is a rate limit", () => {
    expect(plain(size({ total: 1_204, rate: 50 }))).toBe("1,204 events, about 25 s");
    expect(plain(size({ total: 1, rate: null }))).toBe("1 event");
  });
  test("describes the selected events", () => {
    expect(selection({ statuses: null, types: null, video: null })).toBe("All events");
    expect(selection({ statuses: ["failed", "never"], types: ["video.uploaded"], video: "k1iFD7h4rW" })).toBe(
      "Failed or never sent events of type video.uploaded, video k1iFD7h4rW",
    );
  });
  test("never shows progress beyond the total", () => {
    expect(progress({ done: 12, total: 10 })).toBe("10 of 10");
  });
  test("says that canceling does not affect deliveries that are being sent", () => {
    const rest =
      "Pending deliveries of this replay will be canceled. Deliveries that are being sent right now are not affected.";
    expect(plain(cancelText({ done: 9, total: 10 }))).toBe(`1 event will not be sent. ${rest}`);
    expect(cancelText({ done: 12, total: 10 })).toBe(rest);
  });
  test("shows only the end of a time range that has no start", () => {
    const NOW = 1_795_478_479;
    expect(timeRange({ since: 0, until: NOW }, NOW)).toMatch(/^Before \d\d:\d\d$/);
    expect(timeRange({ since: NOW - 60, until: NOW }, NOW)).toMatch(/^\d\d:\d\d to \d\d:\d\d$/);
  });
});
