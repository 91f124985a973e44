import { expect, test } from "vitest";
import { paths, textOf } from "./source.ts";

const LINE_MAX = 120;

test(`a line in a Markdown file has at most ${LINE_MAX} characters`, () => {
  const long = paths
    .filter((path) => path.endsWith(".md"))
    .flatMap((path) =>
      withoutCode(textOf(path))
        .split("\n")
        .map((line, index) => ({ at: `${path}:${index + 1}`, length: isUnbreakable(line) ? 0 : [...line].length })),
    )
    .filter(({ length }) => length > LINE_MAX);
  expect(
    long.map(({ at, length }) => `${at}: ${length} characters`),
    "Wrap it.",
  ).toEqual([]);
});

/** Blanks out code blocks, whose lines may be longer because they must run as pasted. */
const withoutCode = (text: string): string =>
  text.replaceAll(/^```[\s\S]*?^```/gm, (block) => block.replaceAll(/[^\n]/g, ""));

/**
 * Returns whether a line cannot be wrapped, because it is a table row, an image, a bare link, or a test name in
 * docs/guarantees.md.
 */
const isUnbreakable = (line: string): boolean => /^\s*(?:\||!\[|<?https?:\S+$|- `\S+\.test\.ts`: )/.test(line);
