import type { Sql, Statement } from "./db.ts";

/** The first key of every node's advisory lock; the second is the node's number. */
export const NODE_LOCK = 7_021_800;

// A number whose lock is free belongs to nobody: its node is gone, or never was.
const take: Statement = { name: "node_take", text: `select pg_try_advisory_lock(${NODE_LOCK}, $1) as mine` };
const add: Statement = {
  name: "node_add",
  text: "insert into nodes (number) values ($1) on conflict (number) do update set started_at = now()",
};

/** Takes the number for as long as the session of `sql` lasts. @returns whether it was free */
export async function takeNodeNumber(sql: Sql, number: number): Promise<boolean> {
  const [row] = await sql.run<{ mine: boolean }>(take, [number]);
  if (row!.mine) await sql.run(add, [number]);
  return row!.mine;
}

const gone: Statement = {
  name: "nodes_gone",
  text: `select number from nodes where number <> $1 and number not in (
      select objid::integer from pg_locks where locktype = 'advisory' and classid = ${NODE_LOCK} and objsubid = 2
        and database = (select oid from pg_database where datname = current_database()))`,
};

/** Nodes other than `self` whose lock nobody holds. */
export async function listGoneNodes(sql: Sql, self: number): Promise<number[]> {
  return (await sql.run<{ number: number }>(gone, [self])).map(({ number }) => number);
}

// Locked for this transaction: its node cannot come back in between.
const bury: Statement = {
  name: "node_bury",
  text: `with free as materialized (select pg_try_advisory_xact_lock(${NODE_LOCK}, $1) as mine)
    delete from nodes where number = $1 and (select mine from free) returning 1`,
};

/** Strikes a node off, unless it has come back. @returns whether it was; its leases are then to be ended, in this transaction */
export async function buryNode(tx: Sql, number: number): Promise<boolean> {
  return (await tx.run(bury, [number])).length > 0;
}

const count: Statement = { name: "nodes_count", text: "select count(*)::int as nodes from nodes" };

export async function countNodes(sql: Sql): Promise<number> {
  return (await sql.run<{ nodes: number }>(count))[0]!.nodes;
}
