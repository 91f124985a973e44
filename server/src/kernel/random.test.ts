import { expect, test } from "vitest";
import { systemRandom } from "./random.ts";

test("random bytes are never returned twice, even if many are drawn at once", () => {
  const drawn = Array.from({ length: 5_000 }, (_, index) => systemRandom.bytes(8 + (index % 30)).toString("hex"));
  expect(new Set(drawn.map((hex) => hex.slice(0, 16))).size).toBe(drawn.length);
  expect(drawn.map((hex) => hex.length / 2)).toEqual(drawn.map((_, index) => 8 + (index % 30)));
});

test("modifying returned random bytes does not affect bytes returned by other calls", () => {
  const [first, second] = [systemRandom.bytes(16), systemRandom.bytes(16)];
  const before = second.toString("hex");
  first.fill(0);
  expect(second.toString("hex")).toBe(before);
});
