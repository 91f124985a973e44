import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { migrate } from "../../server/src/store/migrate.ts";
import { BASELINE, copyOfBaseline, filledDatabase, later, MIGRATIONS, SPACE, WEBHOOKS } from "./filled.ts";
import { watched } from "./watched.ts";
import { startWork, type Work } from "./work.ts";

const TIME = { timeout: 240_000 }; // seconds on an idle machine; a try that gave way to a node at work is made again
const MODELS = fileURLToPath(new URL("models/", import.meta.url));
const IN_TURN = [
  "column.sql",
  "constraint.sql",
  "constraint_validated.sql",
  "responses_on_parent.sql",
  "responses_on_partitions.concurrently.sql",
];

const db = await filledDatabase();
const folder = await copyOfBaseline();

/** Applies the folder's new files while nodes of the baseline are at work. */
async function migrateAtWork(): Promise<{ applied: string[]; work: Work }> {
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
  "every file after the baseline is applied beside nodes at work, and none holds up a table while it reads it",
  TIME,
  async () => {
    for (const name of later) await cp(join(MIGRATIONS, name), join(folder, name));
    const { applied, work } = await migrateAtWork();
    expect(applied).toEqual(later);
    report(applied, work);
  },
);

test("the models do the same: a column, a table, a constraint, an index of a partitioned table", TIME, async () => {
  const names = IN_TURN.map((model, index) => `${numbered(later.length + index)}_${model}`);
  for (const [index, name] of names.entries()) await cp(join(MODELS, IN_TURN[index]!), join(folder, name));
  const { applied, work } = await migrateAtWork();
  expect(applied).toEqual(names);
  report(applied, work);
});

const numbered = (index: number): string => String(Number(BASELINE) + 1 + index).padStart(4, "0");

function report(applied: string[], { rounds, waited_ms }: Work): void {
  console.log(`${applied.length} files beside ${rounds} rounds of work; the longest wait for a lock: ${waited_ms} ms`);
}

test.each([
  [
    "an index built under a lock",
    "create index on deliveries (response_status)",
    /^deliveries: 7\d{4} rows are read under/m,
  ],
  [
    "a type that is changed",
    "alter table pending_deliveries alter column step type integer",
    /^pending_deliveries: \d+ rows/m,
  ],
  [
    "a default that differs for each row",
    "alter table videos add column chance float8 default random()",
    /^videos: \d+ rows/m,
  ],
  ["a constraint that is checked at once", "alter table videos add check (last_version >= 0)", /^videos: \d+ rows/m],
  [
    "a wait under a lock",
    "alter table videos add column later text;\nselect pg_sleep(0)",
    /^videos: stopped while this runs: select pg_sleep/m,
  ],
  [
    "a loop under a lock",
    "do $$ begin for n in 1..9 loop null; end loop; end $$;\nalter table videos add column later text",
    /^videos: stopped while this runs: do ''/m,
  ],
  [
    "a table made of a question under a lock",
    "alter table videos add column later text;\ncreate table slow as\nselect 1 as one",
    /^videos: stopped while this runs: create table slow as/m,
  ],
  ["rows written all at once", "update webhook_hours set failed = 0", /^webhook_hours: \d+ rows are written/m],
  ["a column that is removed", "alter table replays drop column reason", /^replays\.reason is removed/m],
  ["a column that is renamed", "alter table events rename column payload to body", /^events\.payload is removed/m],
  [
    "a column that older nodes do not write",
    "alter table replays add column pace integer not null",
    /^replays\.pace is/m,
  ],
  [
    "a column that becomes required",
    "alter table replays alter column types set not null",
    /^replays\.types has become/m,
  ],
])("%s is found", async (_, text, finding) => {
  const name = join(folder, `${numbered(later.length + IN_TURN.length)}_bad.sql`);
  await writeFile(name, `-- A mistake.\n-- Lock cost: not thought of.\n${text};`);
  const found = await migrate(watched(db), { folder }).catch((error: Error) => error.message);
  await rm(name);
  expect(found).toMatch(finding);
});

test("a column may go once a file says that no node of the release before uses it", async () => {
  const name = `${numbered(later.length + IN_TURN.length)}_removes.sql`;
  const says = "-- Removes, unused since the release before: replays.first_at, replays.last_at";
  const text = `-- Nobody asks for them.\n${says}\nalter table replays drop column first_at, drop column last_at;`;
  await writeFile(join(folder, name), text);
  expect(await migrate(watched(db), { folder })).toEqual([name]);
});

test("every file after the baseline says from which one on a node can run with it, which the baseline's can", async () => {
  for (const name of later) {
    const oldest = /^-- Runs with: (\d{4})$/m.exec(await readFile(join(MIGRATIONS, name), "utf8"))?.[1];
    expect(oldest, `${name} has a line "-- Runs with: ${BASELINE}", or of an older file`).toBeDefined();
    expect(oldest! <= BASELINE, `${name} cannot be applied while nodes of ${BASELINE} are at work`).toBe(true);
  }
});
