import { expect, test } from "vitest";
import { cancellationOf, type Refusal, replayOf } from "./bulk-filters.ts";

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
  const refused = (search: object) => {
    const { why, ...rest } = replayOf(search, 9) as Refusal;
    return [why, rest];
  };
  expect(refused({ status: "failed" })).toEqual([expect.stringContaining("Choose a webhook"), {}]);
  expect(refused({ webhook: "w", status: "held" })).toEqual([expect.stringContaining("Pending"), { remove: "status" }]);
  expect(refused({ webhook: "w", response: "5xx" })).toEqual([
    expect.stringContaining("state Failed"),
    { remove: "response" },
  ]);
  expect(refused({ webhook: "w", event: "e" })).toEqual([expect.stringContaining("Open each"), {}]);
});

test("a filter becomes the cancellation of what it shows, never of more", () => {
  expect(cancellationOf({ webhook: "w", event: "e", until: 3 })).toEqual({
    webhook: "w",
    event: "e",
    until: 3,
    status: "pending",
  });
  expect(cancellationOf({ status: "held" })).toEqual({ status: "held" });
  expect(cancellationOf({})).toEqual({ status: "pending" });
  expect(cancellationOf({ response: "5xx" })).toMatchObject({ remove: "response" });
  for (const status of ["failed", "sending"]) expect(cancellationOf({ status })).toMatchObject({ remove: "status" });
});
