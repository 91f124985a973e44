import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "../support/server.ts";
import { occurrences, sources } from "./source.ts";

/** One word per thing, everywhere: tables, types, routes, pages and commands. */
const WORDS: [RegExp, string][] = [
  [/\bendpoints?\b/i, "webhook (or URL)"],
  [/\bsubscri(?:ptions?|bers?)\b/i, "webhook"],
  [/\b(?:web)?hook_id\b(?<!webhook_id)/, "webhook_id"],
  [/\bworkspaces?\b/i, "space"],
];

const code = ["server/src", "dashboard/src", "packages/webhooks/src"].flatMap((folder) => sources(folder));

test.each(WORDS)("%s has another name here", (pattern, instead) => {
  // The sign-in library and tus speak of endpoints; what is imported keeps its name.
  const found = code
    .flatMap((file) => occurrences(file, pattern))
    .filter((line) => !/better-auth|createAuthEndpoint|endpoints?:/.test(line));
  expect(found, `Say ${instead}: one word per thing, in code, tables, API and pages.`).toEqual([]);
});

test("tables and columns are snake_case, and say what kind of value they hold", () => {
  const folder = join(ROOT, "server/migrations");
  const text = readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .map((name) => readFileSync(join(folder, name), "utf8").replaceAll(/--.*$/gm, ""))
    .join("\n");
  const columns = [...text.matchAll(/^ {2}(\w+) (timestamptz|interval)\b/gm)].map(([, name, type]) => ({
    name: name!,
    type,
  }));
  expect(columns.length).toBeGreaterThan(10);
  const unclear = columns
    .filter(({ name }) => !/(?:_at|_until|_since|^since|^until|^hour|^day)$/.test(name))
    .map(({ name }) => name);
  expect(unclear, "An instant ends in _at, _since or _until.").toEqual([]);
  const names = [...text.matchAll(/create table(?: if not exists)? (?!%)(\S+)/g)].map(([, name]) => name!);
  expect(
    names.filter((name) => !/^[a-z][a-z_0-9]*$/.test(name)),
    "snake_case, plural",
  ).toEqual([]);
});

test("every table of a space begins its key with the space", () => {
  const folder = join(ROOT, "server/migrations");
  const wrong = readdirSync(folder)
    .filter((name) => name.endsWith(".sql"))
    .flatMap((name) => {
      const text = readFileSync(join(folder, name), "utf8").replaceAll(/--.*$/gm, "");
      return [...text.matchAll(/create table(?: if not exists)? (\w+) \(([\s\S]*?)\n\)/g)];
    })
    .filter(([, , body]) => /^\s*space_id uuid not null/m.test(body!))
    .filter(([, , body]) => !/primary key \(space_id|hash bytea primary key/.test(body!))
    .map(([, table]) => table!);
  expect(wrong, "primary key (space_id, …): a distributed PostgreSQL shards by it.").toEqual([]);
});
