import type { Sql, Statement } from "../db.ts";
import { byLockOrder, HOLDS_LEASE, type LeaseKey } from "./key.ts";

/** What a node writes into the rows that it leases. */
export interface Lease {
  node: number;
  lease_ms: number;
  /** When it was requested, on the node's monotonic clock: the node counts `lease_ms` from here, the database from later. */
  leased_ms: number;
}

// The attempt number goes back too, because nothing was sent.
const give: Statement = {
  name: "queue_return_leases",
  text: `with held as materialized (
      select o.place
      from json_to_recordset($1::json) as s(space_id uuid, webhook_id uuid, video_id text, sequence integer, attempt integer)
      cross join lateral (
        select r.ctid as place from pending_deliveries r
        where ${HOLDS_LEASE}
        for no key update) o
    )
    update pending_deliveries o set attempt = o.attempt - 1, leased_until = '-infinity', leased_by = null
    from held where o.ctid = held.place returning 1`,
};

/** Returns the leases of deliveries that were not sent after all. If it fails, they expire by themselves. */
export async function returnLeases(sql: Sql, unsent: readonly LeaseKey[]): Promise<void> {
  const keys = unsent.map(({ space_id, webhook_id, video_id, sequence, attempt }) => {
    return { space_id, webhook_id, video_id, sequence, attempt };
  });
  await sql.run(give, [JSON.stringify(keys.sort(byLockOrder))]);
}

const expire: Statement = {
  name: "queue_expire_leases",
  text: `update pending_deliveries set leased_until = least(leased_until, statement_timestamp()), leased_by = null
    where leased_by = $1 returning 1`,
};

/** Expires every lease of a node that is presumed dead. @returns how many there were */
export async function expireNodeLeases(sql: Sql, node: number): Promise<number> {
  return (await sql.run(expire, [node])).length;
}

const shorten: Statement = {
  name: "queue_shorten_leases",
  text: `update pending_deliveries set leased_until = now() + $1::float8 * interval '1 ms'
    where leased_until > now() + 2 * $1::float8 * interval '1 ms' returning 1`,
};

/** After the database's clock was set back: no lease lasts longer than twice its time. @returns how many were shortened */
export async function shortenLongLeases(sql: Sql, lease_ms: number): Promise<number> {
  return (await sql.run(shorten, [lease_ms])).length;
}
