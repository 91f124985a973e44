import { describe, expect, test } from "vitest";
import { paths, textOf } from "./source.ts";

const sql = paths
  .filter((path) => path.startsWith("server/migrations/") && path.endsWith(".sql"))
  .map((path) => textOf(path).replaceAll(/--.*$/gm, ""))
  .join("\n");

describe("tables", () => {
  test("have names in snake_case", () => {
    const names = [...sql.matchAll(/create table(?: if not exists)? (?!%)(\S+)/g)].map(([, name]) => name!);
    expect(names.length).toBeGreaterThan(10);
    expect(
      names.filter((name) => !/^[a-z][a-z_0-9]*$/.test(name)),
      "Use snake_case and the plural.",
    ).toEqual([]);
  });

  test("have time columns whose names end in a time suffix", () => {
    const columns = [...sql.matchAll(/^ {2}(\w+) (?:timestamptz|interval)\b/gm)].map(([, name]) => name!);
    expect(columns.length).toBeGreaterThan(10);
    expect(
      columns.filter((name) => !/(?:_at|_until|_since|^since|^until|^hour|^day)$/.test(name)),
      "End the name in _at, _since or _until.",
    ).toEqual([]);
  });

  test("with a space_id have keys that start with it", () => {
    const wrong = [...sql.matchAll(/create table(?: if not exists)? (\w+) \(([\s\S]*?)\n\)/g)]
      .filter(([, , body]) => /^\s*space_id uuid not null/m.test(body!))
      .filter(([, , body]) => !/primary key \(space_id|hash bytea primary key/.test(body!))
      .map(([, table]) => table!);
    expect(wrong, "A distributed PostgreSQL shards by space: primary key (space_id, …).").toEqual([]);
  });
});
