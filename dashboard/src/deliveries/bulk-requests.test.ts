import { expect, test } from "vitest";
import { cancellationOf, replayOf, type Unsupported } from "./bulk-requests.ts";

test("a filter is converted to a replay of the deliveries that it matches", () => {
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

test("a filter that a replay cannot express is rejected with a reason and the filter to remove", () => {
  const unsupported = (search: object) => {
    const { why, ...rest } = replayOf(search, 9) as Unsupported;
    return [why, rest];
  };
  expect(unsupported({ status: "failed" })).toEqual([expect.stringContaining("Choose a webhook"), {}]);
  expect(unsupported({ webhook: "w", status: "held" })).toEqual([
    expect.stringContaining("Pending"),
    { remove: "status" },
  ]);
  expect(unsupported({ webhook: "w", response: "5xx" })).toEqual([
    expect.stringContaining("choose Failed"),
    { remove: "response" },
  ]);
  expect(unsupported({ webhook: "w", event: "e" })).toEqual([expect.stringContaining("Open each"), {}]);
});

test("a filter is converted to a cancellation of only the pending deliveries that it matches", () => {
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
