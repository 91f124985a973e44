import type { Sql, Statement } from "../db.ts";
import { byLockOrder, HOLDS_LEASE, type LeaseKey } from "./key.ts";

/** The parameters of a node's leases. */
export interface Lease {
  node: number;
  lease_ms: number;
  /**
   * When the lease was requested, on the node's monotonic clock. The node counts `lease_ms` from this time. The
   * database starts counting later, so the lease never expires there first.
   */
  leased_ms: number;
}

// Also decrements `attempt`, because nothing was sent.
const returnAll: Statement = {
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

/** Returns the leases of deliveries that were not sent. If this fails, the leases expire on their own. */
export async function returnLeases(sql: Sql, unsent: readonly LeaseKey[]): Promise<void> {
  const keys = unsent.map(({ space_id, webhook_id, video_id, sequence, attempt }) => {
    return { space_id, webhook_id, video_id, sequence, attempt };
  });
  await sql.run(returnAll, [JSON.stringify(keys.sort(byLockOrder))]);
}

const expire: Statement = {
  name: "queue_expire_leases",
  text: `update pending_deliveries set leased_until = least(leased_until, statement_timestamp()), leased_by = null
    where leased_by = $1 returning 1`,
};

/** Expires every lease held by a node that is presumed dead. @returns how many leases expired */
export async function expireNodeLeases(sql: Sql, node: number): Promise<number> {
  return (await sql.run(expire, [node])).length;
}

const shorten: Statement = {
  name: "queue_shorten_leases",
  text: `update pending_deliveries set leased_until = now() + $1::float8 * interval '1 ms'
    where leased_until > now() + 2 * $1::float8 * interval '1 ms' returning 1`,
};

/** Shortens leases that run too long because the database clock was set back. @returns how many were shortened */
export async function shortenLongLeases(sql: Sql, lease_ms: number): Promise<number> {
  return (await sql.run(shorten, [lease_ms])).length;
}
