import { expect, test } from "vitest";
import { paths, textOf } from "./source.ts";

const LINE_MAX = 120;

test(`a line of a document has at most ${LINE_MAX} characters`, () => {
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

/** Blanks blocks of code, which must run as pasted. */
const withoutCode = (text: string): string =>
  text.replaceAll(/^```[\s\S]*?^```/gm, (block) => block.replaceAll(/[^\n]/g, ""));

/** Table rows, images, bare links, and the tests that docs/guarantees.md names. */
const isUnbreakable = (line: string): boolean => /^\s*(?:\||!\[|<?https?:\S+$|- `\S+\.test\.ts`: )/.test(line);
