import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { StartFailure } from "../start-failure.ts";
import type { Database } from "./db.ts";

const FOLDER = fileURLToPath(new URL("../../migrations/", import.meta.url));

interface Migration {
  number: number;
  name: string;
  text: string;
  checksum: string;
}

type Applied = Pick<Migration, "number" | "name" | "checksum">;

/**
 * Brings the database to this version: the numbered files it has not seen, in order, all in one transaction. Nodes that
 * start together wait for each other on a lock that ends with the transaction, so a connection pooler may stand between.
 * @returns the names of the files applied now
 * @throws StartFailure where the database is of a newer version, or a file was changed after it had been applied
 */
export async function migrate(db: Database, folder = FOLDER): Promise<string[]> {
  const known = await readMigrations(folder);
  const client = await db.connect(); // of its own: a file holds many statements, which a pooled one cannot prepare
  try {
    await client.query("begin");
    await client.query(LOCK);
    await client.query(CREATE_TABLE);
    const applied = await client.query<Applied>(APPLIED);
    check(known, applied.rows);
    const missing = known.slice(applied.rows.length);
    for (const { number, name, text, checksum } of missing) {
      await client.query(text);
      await client.query(REMEMBER, [number, name, checksum]);
    }
    await client.query("commit");
    return missing.map(({ name }) => name);
  } finally {
    await client.end(); // before its commit: rolls all of it back
  }
}

function check(known: Migration[], applied: Applied[]): void {
  for (const { number, name, checksum } of applied) {
    const file = known.find((migration) => migration.number === number);
    if (file === undefined) {
      throw new StartFailure(
        `The database was last used by a newer Mave: it holds migration ${name}, and this one knows ${known.length} of them. ` +
          "Start the newer version again; a database never goes back.",
      );
    }
    if (file.checksum !== checksum) {
      throw new StartFailure(
        `Migration ${file.name} was changed after this database had applied it as ${name}. ` +
          "Migrations only go forward: restore the file, and put the change into a new one with the next number.",
      );
    }
  }
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  return Promise.all(
    names.map(async (name, index) => {
      if (Number.parseInt(name, 10) !== index + 1) throw new Error(`migrations/${name} should be number ${index + 1}`);
      const text = await readFile(`${folder}/${name}`, "utf8");
      return { number: index + 1, name, text, checksum: createHash("sha256").update(text).digest("hex") };
    }),
  );
}

const LOCK = "select pg_advisory_xact_lock(7021773)";

const CREATE_TABLE = `create table if not exists migrations (
  number integer primary key,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null default now()
)`;

const APPLIED = "select number, name, checksum from migrations order by number";

const REMEMBER = "insert into migrations (number, name, checksum) values ($1, $2, $3)";
