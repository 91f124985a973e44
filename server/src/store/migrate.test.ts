import { appendFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, expect, test } from "vitest";
import { emptyDatabase } from "../../../test/support/database.ts";
import type { Database } from "./db.ts";
import { migrate } from "./migrate.ts";

const ORIGINAL = fileURLToPath(new URL("../../migrations/", import.meta.url));
const MODELS = fileURLToPath(new URL("../../../test/migrations/models/", import.meta.url));
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

test("every file is applied to an empty database in order, and none to an up-to-date one", async () => {
  expect(await migrate(db, { folder })).toEqual(names);
  expect(await tables()).toContain("pending_deliveries");
  expect(await migrate(db, { folder })).toEqual([]);
});

test("nodes that start at the same time apply each file only once", async () => {
  const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(db, { folder })));
  expect(applied.flat().sort()).toEqual(names);
});

test("a new file is applied to a database that already has the earlier ones", async () => {
  await migrate(db, { folder });
  await writeFile(join(folder, next), "create table later (id int primary key);");
  expect(await migrate(db, { folder })).toEqual([next]);
  expect(await tables()).toContain("later");
});

test("events in a daily partition can be erased", async () => {
  await migrate(db, { folder });
  const day = "select make_partition('events', 'id', (now() at time zone 'UTC')::date - 1)";
  await db.run({ name: "", text: day });
  const text = `insert into events (space_id, id, type, sequence, payload)
    select gen_random_uuid(), id_floor(now() - interval '1 day'), 'video.created', 1, '{}' returning tableoid::regclass::text as day`;
  expect(await db.run({ name: "", text })).toEqual([{ day: expect.stringMatching(/^events_\d{8}$/) }]);
  await db.run({ name: "", text: "update events set payload = null, erased_at = now()" });
});

test("a file that fails changes nothing, and the next startup tries it again", async () => {
  await writeFile(join(folder, next), "create table later (id int primary key); select 1 / 0;");
  await expect(migrate(db, { folder })).rejects.toThrow("division by zero");
  expect(await tables()).toContain("pending_deliveries");
  expect(await tables()).not.toContain("later");
  await writeFile(join(folder, next), "create table later (id int primary key);");
  expect(await migrate(db, { folder })).toEqual([next]);
});

test("a file that waits for a long-running reader blocks no writers, and is applied once the reader ends", async () => {
  await migrate(db, { folder });
  await writeFile(join(folder, next), "alter table events add column later text;");
  const reader = await db.connect();
  await reader.query("begin; select from events limit 1");
  const gaveUp = Promise.withResolvers<string>();
  const migrating = migrate(db, { folder, onWait: gaveUp.resolve });
  expect(await gaveUp.promise).toBe(next);
  await db.run({ name: "test_write", text: WRITE }); // would wait forever behind a lock request that waits for the reader
  await reader.query("commit");
  expect(await migrating).toEqual([next]);
  await reader.end();
});

const WRITE = `insert into events (space_id, id, type, sequence, payload)
  select gen_random_uuid(), gen_random_uuid(), 'video.created', 1, '{}'`;

test("an index is built while the table's partitions are written to, and a node finishes a build that a killed node left incomplete", async () => {
  await migrate(db, { folder });
  for (const day of [0, 1]) await db.run(makeDay, [day]);
  const files = await Promise.all(
    ["on_parent.sql", "on_partitions.concurrently.sql"].map(async (file, index) => {
      const name = `${String(names.length + 1 + index).padStart(4, "0")}_responses_${file}`;
      await cp(join(MODELS, `responses_${file}`), join(folder, name));
      return name;
    }),
  );
  const writer = await db.connect();
  await writer.query("begin; lock table deliveries_default in row exclusive mode"); // the build waits for this lock
  const migrating = migrate(db, { folder });
  migrating.catch(() => {}); // awaited below
  await expect.poll(() => db.run(building)).toHaveLength(1);
  await db.run({ name: "test_cancel", text: CANCEL });
  await expect(migrating).rejects.toThrow("canceling statement"); // which leaves an invalid index
  await writer.query("commit");
  await writer.end();
  await db.run(makeDay, [2]); // as the retention task may do between the two runs
  expect(await migrate(db, { folder })).toEqual(files.slice(1));
  expect(await db.run(responseIndexes)).toEqual([{ valid: true, partitions: 4, indexes: 4 }]);
});

const makeDay = {
  name: "test_make_day",
  text: "select make_partition('deliveries', 'id', (now() at time zone 'UTC')::date + $1::int)",
};
/** The build that waits for the writer. The builds for other partitions may end at any moment. */
const WAITING_BUILD = `pg_stat_progress_create_index
  where datname = current_database() and relid = 'deliveries_default'::regclass`;
const CANCEL = `select pg_cancel_backend(pid) from ${WAITING_BUILD}`;
const building = { name: "test_building", text: `select from ${WAITING_BUILD}` };
const responseIndexes = {
  name: "test_response_indexes",
  text: `select indisvalid as valid,
      (select count(*)::int from pg_inherits where inhparent = indrelid) as partitions,
      (select count(*)::int from pg_inherits join pg_index i on i.indexrelid = inhrelid and i.indisvalid
        where inhparent = parent.indexrelid) as indexes
    from pg_index parent where indexrelid = 'deliveries_by_exact_response'::regclass`,
};

test("a file that is applied concurrently may only run statements that do not block others", async () => {
  await writeFile(join(folder, next.replace(".sql", ".concurrently.sql")), "select 'drop table events' as statement");
  await expect(migrate(db, { folder })).rejects.toThrow("must not run concurrently: drop table events");
  expect(await tables()).toContain("events");
});

test("a change to an applied file prevents startup", async () => {
  await migrate(db, { folder });
  await appendFile(join(folder, names[0]!), "-- an afterthought\n");
  await expect(migrate(db, { folder })).rejects.toThrow(
    `Migration ${names[0]} was changed after this database applied it as ${names[0]}. Restore the file`,
  );
});

test("a database from a newer version prevents startup and is not changed", async () => {
  await writeFile(join(folder, next), "create table later (id int primary key);");
  await migrate(db, { folder });
  await rm(join(folder, next));
  await expect(migrate(db, { folder })).rejects.toThrow(
    `The database was last used by a newer Mave: it has migration ${next}, but this version knows only ${names.length}`,
  );
  expect(await tables()).toContain("later");
});

test("a database from a newer version does not prevent startup if this version can run with its migrations", async () => {
  await writeFile(join(folder, next), `-- Runs with: ${next.slice(0, 4)}\ncreate table later (id int primary key);`);
  const after = `${String(names.length + 2).padStart(4, "0")}_after.sql`;
  await writeFile(join(folder, after), `-- Runs with: ${names.at(-1)!.slice(0, 4)}\ncreate table after (id int);`);
  await migrate(db, { folder });
  await rm(join(folder, after));
  expect(await migrate(db, { folder })).toEqual([]);
  await rm(join(folder, next));
  await expect(migrate(db, { folder })).rejects.toThrow(`it has migration ${next}`);
});

test("migration files are rejected if there is a gap in their numbers", async () => {
  await writeFile(join(folder, `${String(names.length + 2).padStart(4, "0")}_too_far.sql`), "select 1;");
  await expect(migrate(db, { folder })).rejects.toThrow("should be number");
});

test("every migration explains its purpose and its lock cost", async () => {
  for (const name of names) {
    const text = await readFile(join(ORIGINAL, name), "utf8");
    expect(text, `${name} starts with a comment that explains its purpose`).toMatch(/^-- /);
    expect(text, `${name} states its lock cost`).toMatch(/^-- Lock cost: /m);
  }
});
