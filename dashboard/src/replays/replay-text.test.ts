import { expect, test } from "vitest";
import { cancelWords, choice, progress, range, size } from "./replay-text.ts";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

test("a replay's size is a count, and a time where there is a rate", () => {
  expect(plain(size({ total: 1_204, rate: 50 }))).toBe("1,204 events, about 25 s");
  expect(plain(size({ total: 1, rate: null }))).toBe("1 event");
});

test("what it chooses is a sentence", () => {
  expect(choice({ statuses: null, types: null, video: null })).toBe("All events");
  expect(choice({ statuses: ["failed", "never"], types: ["video.uploaded"], video: "k1iFD7h4rW" })).toBe(
    "Events whose delivery failed or never existed of video.uploaded about k1iFD7h4rW",
  );
});

test("progress never passes what was counted", () => {
  expect(progress({ done: 12, total: 10 })).toBe("10 of 10");
});

test("canceling promises nothing of what was handed over already", () => {
  const rest =
    "What was handed to delivery and has not arrived yet is taken back; what is being sent right now still arrives.";
  expect(plain(cancelWords({ done: 9, total: 10 }))).toBe(`1 event will not be sent. ${rest}`);
  expect(cancelWords({ done: 12, total: 10 })).toBe(rest);
});

test("a range from the beginning of time is said by its end alone", () => {
  const NOW = 1_795_478_479;
  expect(range({ since: 0, until: NOW }, NOW)).toMatch(/^All before \d\d:\d\d$/);
  expect(range({ since: NOW - 60, until: NOW }, NOW)).toMatch(/^\d\d:\d\d to \d\d:\d\d$/);
});
