import { describe, expect, test } from "vitest";
import type { Received } from "./logging-receiver.ts";
import { type Kill, losses } from "./losses.ts";

const KILLS: Kill[] = [
  { what: "service", over_ms: 1_000 },
  { what: "database", over_ms: 2_000 },
];

/** Returns 150 attempts for one webhook before a kill, one every 5 ms. */
const attemptsBefore = ({ over_ms }: Kill): Received[] =>
  Array.from({ length: 150 }, (_, index) => {
    const began_ms = over_ms - 750 + index * 5;
    return { path: "/healthy", delivery: `${over_ms}.${index}`, attempt: 1, began_ms, at_ms: began_ms + 1 } as Received;
  });
const [first, second] = [attemptsBefore(KILLS[0]!), attemptsBefore(KILLS[1]!)];
const received = [...first, ...second];

describe("the check for lost attempts", () => {
  test("accepts lost attempts that were in flight when a kill happened", () => {
    const lost = [...first.slice(-9), ...second.slice(-20)];
    expect(losses(received, lost, KILLS)).toEqual({ most: 20, overtaken: 0, findings: [] });
  });

  test.each([
    ["long before the service was killed", [first[120]!], /^delivery 1000\.120, attempt 1 was lost, and 29 later ones/],
    ["long before the database was killed", [second[50]!], /^delivery 2000\.50, attempt 1 was lost, and 99 later ones/],
    [
      "by a kill that lost more attempts than can be in flight",
      first.slice(-140),
      /^140 attempts were lost by one kill/,
    ],
  ])("reports an attempt lost %s", (_, lost, finding) => {
    expect(losses(received, lost, KILLS).findings).toEqual([expect.stringMatching(finding)]);
  });

  test("reports an attempt lost after the last kill", () => {
    const { findings } = losses(received, [second[149]!], KILLS.slice(0, 1));
    expect(findings).toEqual(["delivery 2000.149, attempt 1 was lost, and no kill followed"]);
  });
});
