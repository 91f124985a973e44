import { expect, test } from "vitest";
import { sources, textOf } from "./source.ts";

const CONSTANT = /^(?:export )?const [A-Z][A-Z_]*_(?:MS|S|MAX|MIN|BYTES) = [\d_.]+;$/;

test("a numeric limit has a comment that gives the reason for its value", () => {
  const bare = sources("server/src").flatMap(({ path }) => {
    const lines = textOf(path).split("\n");
    const hasReason = (at: number) => /\*\/$|^\s*\/\//.test(lines[at - 1] ?? "");
    return lines.flatMap((line, at) => (CONSTANT.test(line) && !hasReason(at) ? [`${path}:${at + 1}  ${line}`] : []));
  });
  expect(bare, "Say why it is neither smaller nor larger.").toEqual([]);
});
