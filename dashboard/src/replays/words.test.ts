import { expect, test } from "vitest";
import { choice, progress, size } from "./words.ts";

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
