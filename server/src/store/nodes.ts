import type { Sql, Statement } from "./db.ts";
import type { Session } from "./session.ts";

/** The first key of every node's advisory lock; the second is the node's number. */
export const NODE_LOCK = 7_021_800;

const take: Statement = {
  name: "node_take",
  text: `select case when $2 then pg_try_advisory_xact_lock(${NODE_LOCK}, $1)
      else pg_try_advisory_lock(${NODE_LOCK}, $1) end as mine, pg_backend_pid() as pid`,
};
const add: Statement = {
  name: "node_add",
  text: "insert into nodes (number) values ($1) on conflict (number) do update set started_at = now()",
};

/** A node's number, and the database's process that holds it for its session. */
export interface NodeNumber {
  number: number;
  pid: number;
}

/** Takes a number that this node had, or has just claimed, for as long as the session lasts. @returns null where another has it */
export async function takeNodeNumber(session: Session, number: number): Promise<NodeNumber | null> {
  const [row] = await session.lock<{ mine: boolean; pid: number }>(take, [number]);
  if (!row!.mine) return null;
  await session.run(add, [number]);
  return { number, pid: row!.pid };
}

const claimNumber: Statement = {
  name: "node_claim_number",
  text: `insert into nodes (number)
    select n from generate_series(1, $1::int) n where not exists (select from nodes where number = n) order by n limit 1
    on conflict do nothing returning number`,
};

/**
 * Takes a number that nobody has. One whose node is not struck off yet is not free, though its lock be: that node may
 * have lost no more than its connection. @returns null where another node was quicker
 */
export async function takeNewNodeNumber(session: Session, most: number): Promise<NodeNumber | null> {
  const [row] = await session.run<{ number: number }>(claimNumber, [most]);
  return row === undefined ? null : takeNodeNumber(session, row.number);
}

const LOCKS = `from pg_locks where locktype = 'advisory' and classid = ${NODE_LOCK} and objsubid = 2
    and database = (select oid from pg_database where datname = current_database())`;

const endSession: Statement = {
  name: "node_end_session",
  text: `select pg_terminate_backend(pid, 1000) ${LOCKS} and objid::integer = $1 and pid = $2`,
};

/** Ends this node's own earlier session, where the server has not noticed yet that its connection is dead. */
export async function endNodeSession(sql: Sql, { number, pid }: NodeNumber): Promise<void> {
  await sql.run(endSession, [number, pid]);
}

const gone: Statement = {
  name: "nodes_gone",
  text: `select number from nodes where number <> $1 and number not in (select objid::integer ${LOCKS})`,
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
