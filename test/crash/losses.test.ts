import { expect, test } from "vitest";
import { type Kill, losses } from "./losses.ts";
import type { Received } from "./receiver.ts";

const KILLS: Kill[] = [
  { what: "service", over_ms: 1_000 },
  { what: "database", over_ms: 2_000 },
];

/** One attempt every 5 ms, of one webhook, in a life that a kill ended. */
const lived = ({ over_ms }: Kill): Received[] =>
  Array.from({ length: 150 }, (_, index) => {
    const began_ms = over_ms - 750 + index * 5;
    return { path: "/healthy", delivery: `${over_ms}.${index}`, attempt: 1, began_ms, at_ms: began_ms + 1 } as Received;
  });
const [first, second] = [lived(KILLS[0]!), lived(KILLS[1]!)];
const received = [...first, ...second];

test("what was under way as a kill came is explained by it", () => {
  const lost = [...first.slice(-9), ...second.slice(-20)];
  expect(losses(received, lost, KILLS)).toEqual({ most: 20, overtaken: 0, findings: [] });
});

test.each([
  ["in the middle of the service's life", [first[120]!], /^delivery 1000\.120, attempt 1 was lost, and 29 later ones/],
  ["in the middle of the database's life", [second[50]!], /^delivery 2000\.50, attempt 1 was lost, and 99 later ones/],
  ["by a kill that cost more than can be under way", first.slice(-140), /^140 attempts were lost by one kill/],
])("an attempt that is lost %s is found", (_, lost, finding) => {
  expect(losses(received, lost, KILLS).findings).toEqual([expect.stringMatching(finding)]);
});

test("an attempt that is lost after the last kill is found", () => {
  const { findings } = losses(received, [second[149]!], KILLS.slice(0, 1));
  expect(findings).toEqual(["delivery 2000.149, attempt 1 was lost, and no kill came after it"]);
});
