import type { Sql, Statement } from "./db.ts";
import type { Session } from "./session.ts";

/** The first key of every node's advisory lock; the second is the node's number. */
export const NODE_LOCK = 7_021_800;

const lock: Statement = {
  name: "node_lock",
  text: `select case when $2 then pg_try_advisory_xact_lock(${NODE_LOCK}, $1)
      else pg_try_advisory_lock(${NODE_LOCK}, $1) end as locked, pg_backend_pid() as pid`,
};
const add: Statement = {
  name: "node_add",
  text: "insert into nodes (number) values ($1) on conflict (number) do update set started_at = now()",
};

/** A node's number, and the database process whose session holds the node's lock. */
export interface NodeNumber {
  number: number;
  pid: number;
}

/**
 * Locks a number that this node held before, or has just claimed, until the session ends.
 * @returns null if another session holds it
 */
export async function lockNodeNumber(session: Session, number: number): Promise<NodeNumber | null> {
  const [row] = await session.lock<{ locked: boolean; pid: number }>(lock, [number]);
  if (!row!.locked) return null;
  await session.run(add, [number]);
  return { number, pid: row!.pid };
}

const claim: Statement = {
  name: "node_claim",
  text: `insert into nodes (number)
    select n from generate_series(1, $1::int) n where not exists (select from nodes where number = n) order by n limit 1
    on conflict do nothing returning number`,
};

/**
 * Claims and locks an unused number up to `max`. A listed node's number counts as used even if the node's lock is free,
 * because that node may merely have lost its connection.
 * @returns null if another node claimed it first
 */
export async function claimNodeNumber(session: Session, max: number): Promise<NodeNumber | null> {
  const [row] = await session.run<{ number: number }>(claim, [max]);
  return row === undefined ? null : lockNodeNumber(session, row.number);
}

const LOCKS = `from pg_locks where locktype = 'advisory' and classid = ${NODE_LOCK} and objsubid = 2
    and database = (select oid from pg_database where datname = current_database())`;

const endSession: Statement = {
  name: "node_end_session",
  text: `select pg_terminate_backend(pid, 1000) ${LOCKS} and objid::integer = $1 and pid = $2`,
};

/** Ends this node's own earlier session if the database server has not yet noticed that the connection was lost. */
export async function endNodeSession(sql: Sql, { number, pid }: NodeNumber): Promise<void> {
  await sql.run(endSession, [number, pid]);
}

const unlocked: Statement = {
  name: "nodes_unlocked",
  text: `select number from nodes where number <> $1 and number not in (select objid::integer ${LOCKS})`,
};

/** Lists the nodes, other than `self`, whose locks no session holds. */
export async function listUnlockedNodes(sql: Sql, self: number): Promise<number[]> {
  return (await sql.run<{ number: number }>(unlocked, [self])).map(({ number }) => number);
}

// Holds the node's lock until the transaction ends, so that the node cannot reconnect in the meantime.
const remove: Statement = {
  name: "node_remove",
  text: `with free as materialized (select pg_try_advisory_xact_lock(${NODE_LOCK}, $1) as locked)
    delete from nodes where number = $1 and (select locked from free) returning 1`,
};

/**
 * Removes a node unless it has reconnected.
 * @returns whether it was removed; if so, the caller must expire its leases in the same transaction
 */
export async function removeNode(tx: Sql, number: number): Promise<boolean> {
  return (await tx.run(remove, [number])).length > 0;
}

const count: Statement = { name: "nodes_count", text: "select count(*)::int as nodes from nodes" };

export async function countNodes(sql: Sql): Promise<number> {
  return (await sql.run<{ nodes: number }>(count))[0]!.nodes;
}
