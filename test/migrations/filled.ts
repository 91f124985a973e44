import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import { type Database, openDatabase } from "../../server/src/store/db.ts";
import { migrate } from "../../server/src/store/migrate.ts";
import { fillHistory } from "../support/history.ts";
import { startOwnPostgres } from "../support/own-postgres.ts";

export const MIGRATIONS = fileURLToPath(new URL("../../server/migrations/", import.meta.url));

/**
 * The number of the last release's newest migration. Migrations up to this number run only on a new database, where
 * they block no one. Later ones are applied while nodes of the last release are running. Raise this number with each
 * release.
 */
export const BASELINE = "0008";

/** The names of the migration files after the baseline. */
export const later = (await readdir(MIGRATIONS)).filter((name) => name.endsWith(".sql") && name > `${BASELINE}_~`);

const FINISHED = 70_000; // events, each with a delivery and an attempt: 210,000 rows of history

export const SPACE = "00000000-0000-4000-8000-000000000001";
export const WEBHOOKS = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}`);

/**
 * Creates a database with a month of data, as baseline nodes would have written it. It has its own PostgreSQL server,
 * because its long transactions would hide new events from event lists in other tests. The server stops when the test
 * file ends.
 */
export async function filledDatabase(): Promise<Database> {
  const postgres = await startOwnPostgres({ autovacuum: "off" });
  const db = openDatabase({ connection: postgres.connection, connections: 10, statement_ms: 600_000 });
  afterAll(async () => {
    await db.close();
    await postgres.end();
  });
  await migrate(db, { folder: await copyOfBaseline() });
  for (const text of [SPACES, WEBHOOK_ROWS]) await db.run({ name: "", text }, [SPACE, WEBHOOKS]);
  await fillHistory(db, { space: SPACE, webhooks: WEBHOOKS, days: 30 }, FINISHED);
  for (const text of [VIDEOS, UPLOADS, PENDING, HOURS, "analyze"]) await db.run({ name: "", text });
  return db;
}

/** Creates a folder with the migration files up to the baseline. It is removed when the test file ends. */
export async function copyOfBaseline(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "mave-migrations-"));
  afterAll(() => rm(folder, { recursive: true }));
  for (const name of await readdir(MIGRATIONS))
    if (!later.includes(name)) await cp(join(MIGRATIONS, name), join(folder, name));
  return folder;
}

const SPACES = "insert into spaces (id, name) select $1::uuid, 'Filled' where $2::uuid[] is not null";

const WEBHOOK_ROWS = `insert into webhooks (space_id, id, url, events, secret, secret_hint)
  select $1::uuid, id, 'https://receiver.example.com/', '{video.created}', '\\x00', 'abcd'
  from (select unnest($2::uuid[]) as id union all select gen_random_uuid() from generate_series(1, 2000)) ids`;

const VIDEOS = `insert into videos (space_id, id, last_sequence)
  select space_id, video_id, max(sequence) from events where space_id = '${SPACE}' group by space_id, video_id`;

const UPLOADS = `insert into uploads (space_id, video_id, version, id, state, resumable)
  select space_id, id, 1, gen_random_uuid(), 'published', true from videos`;

const PENDING = `insert into pending_deliveries (space_id, webhook_id, video_id, sequence, id, event_id, type, previous, due_at)
  select space_id, webhook_id, video_id, 100, gen_random_uuid(), event_id, type, 0, now()
  from (select distinct on (video_id) * from deliveries order by video_id limit 5000) each_video`;

const HOURS = `insert into webhook_hours (space_id, webhook_id, hour, succeeded)
  select w.space_id, w.id, hour, 1 from (select space_id, id from webhooks limit 20) w,
    generate_series(date_trunc('hour', now()) - interval '29 days', now(), '1 hour') hour`;
