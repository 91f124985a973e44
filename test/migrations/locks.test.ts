import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { migrate } from "../../server/src/store/migrate.ts";
import { BASELINE, copyOfBaseline, filledDatabase, later, MIGRATIONS, SPACE, WEBHOOKS } from "./filled.ts";
import { watched } from "./watched.ts";
import { startWork, type Work } from "./work.ts";

const TIME = { timeout: 240_000 }; // the tests take seconds, but a migration may have to wait for a lock
const MODELS = fileURLToPath(new URL("models/", import.meta.url));
const MODEL_FILES = [
  "column.sql",
  "constraint.sql",
  "constraint_validated.sql",
  "responses_on_parent.sql",
  "responses_on_partitions.concurrently.sql",
];

const db = await filledDatabase();
const folder = await copyOfBaseline();

/** Applies the folder's new migration files while baseline nodes are running. */
async function migrateDuringWork(): Promise<{ applied: string[]; work: Work }> {
  const work = startWork(db, SPACE, WEBHOOKS[0]!);
  try {
    const applied = await migrate(watched(db), { folder });
    return { applied, work: await work.stop() };
  } catch (error) {
    await work.stop();
    throw error;
  }
}

test(
  "every migration after the baseline can be applied while nodes are running, and none scans a table under a blocking lock",
  TIME,
  async () => {
    for (const name of later) await cp(join(MIGRATIONS, name), join(folder, name));
    const { applied, work } = await migrateDuringWork();
    expect(applied).toEqual(later);
    report(applied, work);
  },
);

test(
  "the model migrations (a column, a table, a constraint and a partitioned index) can be applied while nodes are running",
  TIME,
  async () => {
    const names = MODEL_FILES.map((model, index) => `${numbered(later.length + index)}_${model}`);
    for (const [index, name] of names.entries()) await cp(join(MODELS, MODEL_FILES[index]!), join(folder, name));
    const { applied, work } = await migrateDuringWork();
    expect(applied).toEqual(names);
    report(applied, work);
  },
);

const numbered = (index: number): string => String(Number(BASELINE) + 1 + index).padStart(4, "0");

function report(applied: string[], { rounds, waited_ms }: Work): void {
  console.log(`${applied.length} files during ${rounds} rounds of work; longest wait for a lock: ${waited_ms} ms`);
}

test.each([
  [
    "an index built under a lock",
    "create index on deliveries (response_status)",
    /^deliveries: 7\d{4} rows are read under/m,
  ],
  [
    "a changed column type",
    "alter table pending_deliveries alter column step type integer",
    /^pending_deliveries: \d+ rows/m,
  ],
  [
    "a default that differs for each row",
    "alter table videos add column chance float8 default random()",
    /^videos: \d+ rows/m,
  ],
  [
    "a constraint that is validated immediately",
    "alter table videos add check (last_version >= 0)",
    /^videos: \d+ rows/m,
  ],
  [
    "a wait under a lock",
    "alter table videos add column later text;\nselect pg_sleep(0)",
    /^videos: blocked while this runs: select pg_sleep/m,
  ],
  [
    "a loop under a lock",
    "do $$ begin for n in 1..9 loop null; end loop; end $$;\nalter table videos add column later text",
    /^videos: blocked while this runs: do ''/m,
  ],
  [
    "a table created from a query under a lock",
    "alter table videos add column later text;\ncreate table slow as\nselect 1 as one",
    /^videos: blocked while this runs: create table slow as/m,
  ],
  [
    "many rows written in one transaction",
    "update webhook_hours set failed = 0",
    /^webhook_hours: \d+ rows are written/m,
  ],
  ["a removed column", "alter table replays drop column reason", /^replays\.reason is removed/m],
  ["a renamed column", "alter table events rename column payload to body", /^events\.payload is removed/m],
  [
    "a required column that older nodes do not write",
    "alter table replays add column weight integer not null",
    /^replays\.weight is/m,
  ],
  [
    "a column that becomes required",
    "alter table replays alter column types set not null",
    /^replays\.types has become/m,
  ],
])("the check finds %s", async (_, text, finding) => {
  const name = join(folder, `${numbered(later.length + MODEL_FILES.length)}_bad.sql`);
  await writeFile(name, `-- A mistake.\n-- Lock cost: unknown.\n${text};`);
  const found = await migrate(watched(db), { folder }).catch((error: Error) => error.message);
  await rm(name);
  expect(found).toMatch(finding);
});

test("a migration may remove a column if it declares that the previous release does not use it", async () => {
  const name = `${numbered(later.length + MODEL_FILES.length)}_removes.sql`;
  const says = "-- Removes, unused since the previous release: replays.first_at, replays.last_at";
  const text = `-- Unused.\n${says}\nalter table replays drop column first_at, drop column last_at;`;
  await writeFile(join(folder, name), text);
  expect(await migrate(watched(db), { folder })).toEqual([name]);
});

test("every migration after the baseline names the oldest version it is compatible with, which is never newer than the baseline", async () => {
  for (const name of later) {
    const oldest = /^-- Runs with: (\d{4})$/m.exec(await readFile(join(MIGRATIONS, name), "utf8"))?.[1];
    expect(oldest, `${name} needs a line "-- Runs with: ${BASELINE}", or an older number`).toBeDefined();
    expect(oldest! <= BASELINE, `${name} cannot be applied while nodes of ${BASELINE} are running`).toBe(true);
  }
});
