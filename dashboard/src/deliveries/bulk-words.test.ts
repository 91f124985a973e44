import { expect, test } from "vitest";
import { cancelationOf, replayOf } from "./bulk-words.ts";

test("a filter becomes the replay of what it shows", () => {
  expect(replayOf({ webhook: "w", status: "failed", type: "video.created", since: 5 }, 9)).toEqual({
    webhook: "w",
    since: 5,
    until: 9,
    statuses: ["failed"],
    types: ["video.created"],
  });
  expect(replayOf({ webhook: "w", video: "v" }, 9)).toMatchObject({
    since: 0,
    video: "v",
    statuses: ["succeeded", "failed", "canceled"],
  });
});

test("where a replay cannot do what the filter shows, a sentence says so instead of doing more", () => {
  expect(replayOf({ status: "failed" }, 9)).toContain("one webhook");
  expect(replayOf({ webhook: "w", status: "held" }, 9)).toContain("open");
  for (const more of [{ event: "e" }, { answer: "5xx" }])
    expect(replayOf({ webhook: "w", ...more }, 9)).toContain("filter");
});

test("a filter becomes the cancelation of what it shows, never of more", () => {
  expect(cancelationOf({ webhook: "w", event: "e", until: 3 })).toEqual({
    webhook: "w",
    event: "e",
    until: 3,
    status: "open",
  });
  expect(cancelationOf({ status: "held" })).toEqual({ status: "held" });
  expect(cancelationOf({})).toEqual({ status: "open" });
  for (const search of [{ answer: "5xx" }, { status: "failed" }, { status: "sending" }])
    expect(cancelationOf(search)).toBeTypeOf("string");
});
