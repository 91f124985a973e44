import { expect, test } from "vitest";
import { sources } from "./source.ts";

const FILE_MAX = 400;
const FILE_MEDIAN_MAX = 100;
const FUNCTION_MAX = 60;
const FACTORY_MAX = 80; // a factory consists mostly of the small functions it returns
const FUNCTION_MOSTLY_MAX = 25;

const files = ["server/src", "packages/webhooks/src"].flatMap((folder) => sources(folder));
const functions = files.flatMap(({ path, functions }) => functions.map((each) => ({ ...each, path })));

const quantile = (numbers: number[], share: number): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor((numbers.length - 1) * share)]!;

test(`no file is longer than ${FILE_MAX} lines`, () => {
  const long = files.filter(({ lines }) => lines > FILE_MAX).map(({ path, lines }) => `${path}: ${lines} lines`);
  expect(long, "Such a file has two subjects: split it.").toEqual([]);
});

test(`the median file has at most ${FILE_MEDIAN_MAX} lines`, () => {
  const median = quantile(
    files.map(({ lines }) => lines),
    0.5,
  );
  expect(median, "Split files that have two subjects.").toBeLessThanOrEqual(FILE_MEDIAN_MAX);
});

test(`no function is longer than ${FUNCTION_MAX} lines`, () => {
  const long = functions
    .filter(({ lines, path, name }) => lines > (isFactory(name) ? FACTORY_MAX : FUNCTION_MAX) && !isTable(path, name))
    .map(({ path, line, name, lines }) => `${path}:${line} ${name}: ${lines} lines`);
  expect(long, "Make each step a function.").toEqual([]);
});

test(`nine out of ten functions have at most ${FUNCTION_MOSTLY_MAX} lines`, () => {
  const most = quantile(
    functions.map(({ lines }) => lines),
    0.9,
  );
  expect(most, "Make steps of long functions their own functions.").toBeLessThanOrEqual(FUNCTION_MOSTLY_MAX);
});

const isFactory = (name: string): boolean => /^create[A-Z]/.test(name);

/**
 * Returns whether a function is a list of routes with their schemas. Splitting such a function would not make it
 * clearer.
 */
const isTable = (path: string, name: string): boolean => path.startsWith("server/src/http/") && /Routes?$/.test(name);
