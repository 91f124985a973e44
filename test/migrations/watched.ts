import type pg from "pg";
import type { Database } from "../../server/src/store/db.ts";

/** Reading this many rows is fast on any machine. */
const FEW = 1_000;

/** The lock modes that block writes to a table. */
const BLOCKING = ["ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"];

/** A transaction's locks, reads and writes on a table and its partitions. */
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

interface Snapshot {
  touched: Touched[];
  columns: Column[];
}

/**
 * Wraps a database for `migrate`. Before each commit, the wrapper inspects the transaction and, if the migration would
 * affect running nodes, fails with the reasons. It counts rows instead of measuring time, because time depends on the
 * machine. A migration that blocks writers may contain only DDL: a wait or a loop reads no rows, so the row count would
 * not reveal it.
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
      await query("set max_parallel_maintenance_workers = 0"); // rows read by parallel workers are not counted
      let before: Snapshot;
      let file = "";
      const watch = async (text: string | pg.QueryConfig, values?: unknown[]) => {
        if (typeof text !== "string") return query(text); // sent by the session that holds the migration lock
        if (text.startsWith("-- ")) file = text;
        const findings = text === "commit" ? problems(before, await snapshot(query), file) : [];
        if (findings.length > 0) throw new Error(findings.join("\n"));
        const response = await query(text, values);
        if (text === "begin") before = await snapshot(query);
        return response;
      };
      client.query = watch as typeof client.query;
      return client;
    },
  };
}

/** Returns every change between two snapshots that would affect running nodes. */
function problems(before: Snapshot, after: Snapshot, file: string): string[] {
  return [
    ...otherStatements(before, after, file),
    ...after.touched.flatMap((table) =>
      longLocks(
        table,
        before.touched.find(({ name }) => name === table.name),
      ),
    ),
    ...after.columns.flatMap((column) => unwritable(column, before)),
    ...before.columns.flatMap(({ name, type }) => missing(name, type, after, removed(file))),
  ];
}

/** If the file blocks writes to existing tables, returns its statements that are not DDL. */
function otherStatements(before: Snapshot, after: Snapshot, file: string): string[] {
  const used = new Set(before.touched.map(({ name }) => name));
  const blocked = after.touched
    .filter(({ name, locks }) => used.has(name) && locks.some(blocks))
    .map(({ name }) => name);
  const others = statementsOf(file).filter((statement) => !isDefinition(statement));
  return blocked.length === 0 ? [] : others.map((other) => `${blocked}: blocked while this runs: ${other}`);
}

/** Matches statements that create a table from a query, which do not count as DDL here. */
const FILLING =
  /^create\s+(?:unlogged\s+table|table|materialized\s+view)\b.*\sas\s+(?:select|with|values|table|execute)\b/is;
const isDefinition = (statement: string) =>
  /^(?:alter|comment|create|drop)\b/i.test(statement) && !FILLING.test(statement);

/** Returns a file's statements without comments and function bodies. */
function statementsOf(file: string): string[] {
  const plain = file.replace(/--.*$/gm, "").replace(/\$(\w*)\$[\s\S]*?\$\1\$/g, "''");
  return plain
    .split(";")
    .map((statement) => statement.trim())
    .filter(Boolean);
}

const blocks = (lock: string): boolean => BLOCKING.includes(lock);

/** Finds locks that would block running nodes for long. New tables are ignored, because no running node uses them. */
function longLocks({ name, locks, ...after }: Touched, before: Touched | undefined): string[] {
  if (before === undefined) return [];
  const [read, written] = [after.read - before.read, after.written - before.written];
  const blocking = locks.filter(blocks);
  return [
    ...(blocking.length > 0 && read > FEW ? [`${name}: ${read} rows are read under ${blocking}`] : []),
    ...(written > FEW ? [`${name}: ${written} rows are written, and locked until the commit`] : []),
  ];
}

/** Finds required columns that older nodes would leave empty. */
function unwritable({ name, required, has_default }: Column, before: Snapshot): string[] {
  const [table] = name.split(".");
  if (!before.columns.some((column) => column.name.startsWith(`${table}.`))) return [];
  const was = before.columns.find((column) => column.name === name);
  if (was === undefined)
    return required && !has_default ? [`${name} is required, and older nodes do not write it`] : [];
  return required && !was.required ? [`${name} has become required, and older nodes may leave it empty`] : [];
}

function missing(name: string, type: string, after: Snapshot, removed: string[]): string[] {
  const now = after.columns.find((column) => column.name === name);
  if (now === undefined) return removed.includes(name) ? [] : [`${name} is removed, and older nodes read it`];
  return now.type === type ? [] : [`${name} was ${type} and is ${now.type}`];
}

/** Returns the columns that a file declares as unused by the previous release. */
function removed(file: string): string[] {
  return /^-- Removes, unused since the previous release: (.+)$/m.exec(file)?.[1]?.split(", ") ?? [];
}

async function snapshot(query: (text: string) => Promise<pg.QueryResult>): Promise<Snapshot> {
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
