import { appendFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, expect, test } from "vitest";
import { emptyDatabase } from "../../../test/support/database.ts";
import type { Database } from "./db.ts";
import { migrate } from "./migrate.ts";

const ORIGINAL = fileURLToPath(new URL("../../migrations/", import.meta.url));
const names = (await readdir(ORIGINAL)).filter((name) => name.endsWith(".sql")).sort();
const next = `${String(names.length + 1).padStart(4, "0")}_next.sql`;

let db: Database;
let folder: string;
const folders: string[] = [];
beforeEach(async () => {
  db = await emptyDatabase();
  folder = await mkdtemp(join(tmpdir(), "mave-migrations-"));
  folders.push(folder);
  await cp(ORIGINAL, folder, { recursive: true });
});
afterAll(() => Promise.all(folders.map((each) => rm(each, { recursive: true }))));

const tables = async (): Promise<string[]> => {
  const rows = await db.run<{ tablename: string }>({
    name: "test_tables",
    text: "select tablename from pg_tables where schemaname = 'public' order by 1",
  });
  return rows.map(({ tablename }) => tablename);
};

test("an empty database gets every file in order, an up-to-date one none", async () => {
  expect(await migrate(db, folder)).toEqual(names);
  expect(await tables()).toContain("open_deliveries");
  expect(await migrate(db, folder)).toEqual([]);
});

test("nodes that start together apply each file once", async () => {
  const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(db, folder)));
  expect(applied.flat().sort()).toEqual(names);
});

test("a new file is applied to a database that has the others", async () => {
  await migrate(db, folder);
  await writeFile(join(folder, next), "create table later (id int primary key);");
  expect(await migrate(db, folder)).toEqual([next]);
  expect(await tables()).toContain("later");
});

test("events of days that an earlier version made can be erased as well", async () => {
  const later = names.filter((name) => name >= "0010");
  for (const name of later) await rm(join(folder, name));
  await migrate(db, folder);
  const day = "select make_partition('events', 'id', (now() at time zone 'UTC')::date - $1::int)";
  await db.run({ name: "", text: day }, [1]);
  const text = `insert into events (space_id, id, type, sequence, payload)
    select gen_random_uuid(), id_floor(now() - interval '1 day'), 'video.created', 1, '{}' returning tableoid::regclass::text as day`;
  expect(await db.run({ name: "", text })).toEqual([{ day: expect.stringMatching(/^events_\d{8}$/) }]);
  await cp(ORIGINAL, folder, { recursive: true });
  expect(await migrate(db, folder)).toEqual(later);
  await db.run({ name: "", text: "update events set payload = null, erased_at = now()" });
});

test("a file that fails leaves nothing behind, of itself or of those before it", async () => {
  await writeFile(join(folder, next), "create table later (id int primary key); select 1 / 0;");
  await expect(migrate(db, folder)).rejects.toThrow("division by zero");
  expect(await tables()).toEqual([]);
});

test("a file that was changed after it had been applied stops the start", async () => {
  await migrate(db, folder);
  await appendFile(join(folder, names[0]!), "-- an afterthought\n");
  await expect(migrate(db, folder)).rejects.toThrow(
    `Migration ${names[0]} was changed after this database had applied it as ${names[0]}. Migrations only go forward`,
  );
});

test("a database of a newer version stops the start, and stays as it is", async () => {
  await writeFile(join(folder, next), "create table later (id int primary key);");
  await migrate(db, folder);
  await rm(join(folder, next));
  await expect(migrate(db, folder)).rejects.toThrow(
    `The database was last used by a newer Mave: it holds migration ${next}, and this one knows ${names.length}`,
  );
  expect(await tables()).toContain("later");
});

test("files whose numbers have a gap are a mistake of ours, found at once", async () => {
  await writeFile(join(folder, `${String(names.length + 2).padStart(4, "0")}_too_far.sql`), "select 1;");
  await expect(migrate(db, folder)).rejects.toThrow("should be number");
});

test("every migration tells why it is there and what it locks", async () => {
  for (const name of names) {
    const text = await readFile(join(ORIGINAL, name), "utf8");
    expect(text, `${name} begins with a comment that says what it brings`).toMatch(/^-- /);
    expect(text, `${name} says its lock cost`).toMatch(/^-- Lock cost: /m);
  }
});
