import type pg from "pg";
import type { Database } from "../../server/src/store/db.ts";

/** Rows that any machine reads in a moment, however busy it is. */
const FEW = 1_000;

/** Locks that stop whoever writes a row of the table. */
const STOPPING = ["ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"];

/** What a transaction has done to a table with all its partitions. */
interface Touched {
  name: string;
  locks: string[];
  read: number;
  written: number;
}

interface Column {
  name: string;
  type: string;
  required: boolean;
  has_default: boolean;
}

interface Look {
  touched: Touched[];
  columns: Column[];
}

/**
 * The database for `migrate`: before a file's commit it is looked at what its transaction holds and has done, and a file
 * that nodes at work would notice fails with the reasons. Rows are counted, not seconds: how long a table of a million
 * rows is held depends on the machine, whether all of it is read under the lock does not. What takes long without a row, as a
 * wait or a loop, is no definition, and nothing else may stand in a file that stops writers.
 */
export function watched(db: Database): Database {
  return {
    ...db,
    async connect() {
      const client = await db.connect();
      const query = client.query.bind(client) as (
        text: string | pg.QueryConfig,
        values?: unknown[],
      ) => Promise<pg.QueryResult>;
      await query("set max_parallel_maintenance_workers = 0"); // what a worker reads is not counted here
      let before: Look;
      let file = "";
      const watch = async (text: string | pg.QueryConfig, values?: unknown[]) => {
        if (typeof text !== "string") return query(text); // the lock's own session
        if (text.startsWith("-- ")) file = text;
        const findings = text === "commit" ? judge(before, await look(query), file) : [];
        if (findings.length > 0) throw new Error(findings.join("\n"));
        const response = await query(text, values);
        if (text === "begin") before = await look(query);
        return response;
      };
      client.query = watch as typeof client.query;
      return client;
    },
  };
}

/** Everything that nodes at work would notice of what happened between two looks. */
function judge(before: Look, after: Look, file: string): string[] {
  return [
    ...besides(before, after, file),
    ...after.touched.flatMap((table) =>
      heldUp(
        table,
        before.touched.find(({ name }) => name === table.name),
      ),
    ),
    ...after.columns.flatMap((column) => unwritable(column, before)),
    ...before.columns.flatMap(({ name, type }) => missing(name, type, after, removed(file))),
  ];
}

/** Statements that are no definitions, while tables are stopped that nodes at work use. */
function besides(before: Look, after: Look, file: string): string[] {
  const used = new Set(before.touched.map(({ name }) => name));
  const stopped = after.touched
    .filter(({ name, locks }) => used.has(name) && locks.some(stops))
    .map(({ name }) => name);
  const others = statementsOf(file).filter((statement) => !isDefinition(statement));
  return stopped.length === 0 ? [] : others.map((other) => `${stopped}: stopped while this runs: ${other}`);
}

/** A table that is made of a question is none. */
const FILLING =
  /^create\s+(?:unlogged\s+table|table|materialized\s+view)\b.*\sas\s+(?:select|with|values|table|execute)\b/is;
const isDefinition = (statement: string) =>
  /^(?:alter|comment|create|drop)\b/i.test(statement) && !FILLING.test(statement);

/** A file's statements, without comments and the bodies of functions. */
function statementsOf(file: string): string[] {
  const plain = file.replace(/--.*$/gm, "").replace(/\$(\w*)\$[\s\S]*?\$\1\$/g, "''");
  return plain
    .split(";")
    .map((statement) => statement.trim())
    .filter(Boolean);
}

const stops = (lock: string): boolean => STOPPING.includes(lock);

/** A table that was not there before holds up nobody. */
function heldUp({ name, locks, ...after }: Touched, before: Touched | undefined): string[] {
  if (before === undefined) return [];
  const [read, written] = [after.read - before.read, after.written - before.written];
  const stopping = locks.filter(stops);
  return [
    ...(stopping.length > 0 && read > FEW ? [`${name}: ${read} rows are read under ${stopping}`] : []),
    ...(written > FEW ? [`${name}: ${written} rows are written, and locked until the commit`] : []),
  ];
}

/** A node of before inserts rows without a column that it does not know. */
function unwritable({ name, required, has_default }: Column, before: Look): string[] {
  const [table] = name.split(".");
  if (!before.columns.some((column) => column.name.startsWith(`${table}.`))) return [];
  const was = before.columns.find((column) => column.name === name);
  if (was === undefined)
    return required && !has_default ? [`${name} is required, and older nodes do not write it`] : [];
  return required && !was.required ? [`${name} has become required, and older nodes may leave it empty`] : [];
}

function missing(name: string, type: string, after: Look, removed: string[]): string[] {
  const now = after.columns.find((column) => column.name === name);
  if (now === undefined) return removed.includes(name) ? [] : [`${name} is removed, and older nodes read it`];
  return now.type === type ? [] : [`${name} was ${type} and is ${now.type}`];
}

/** The columns of which a file says that no node of the release before uses them. */
function removed(file: string): string[] {
  return /^-- Removes, unused since the release before: (.+)$/m.exec(file)?.[1]?.split(", ") ?? [];
}

async function look(query: (text: string) => Promise<pg.QueryResult>): Promise<Look> {
  const touched = (await query(TOUCHED)).rows as Touched[];
  return { touched, columns: (await query(COLUMNS)).rows as Column[] };
}

const TOUCHED = `with tables as (
    select oid, coalesce(pg_partition_root(oid), oid)::regclass::text as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
  )
  select name, coalesce(array_agg(distinct mode) filter (where mode is not null), '{}') as locks,
    (select coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)), 0)::int from pg_stat_xact_user_tables
      join tables on oid = relid where tables.name = t.name) as read,
    (select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::int from pg_stat_xact_user_tables
      join tables on oid = relid where tables.name = t.name) as written
  from tables t left join pg_locks on relation = t.oid and pid = pg_backend_pid() group by name`;

const COLUMNS = `select c.relname || '.' || attname as name, format_type(atttypid, atttypmod) as type,
    attnotnull as required, atthasdef as has_default
  from pg_attribute join pg_class c on c.oid = attrelid
  where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
    and attnum > 0 and not attisdropped`;
