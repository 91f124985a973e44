import type { Sql, Statement } from "./db.ts";

/** Expired rows are deleted in slices of this size, so that no statement runs for long. */
const SLICE = 5_000;

const EXPIRED: readonly Statement[] = [
  {
    name: "expired_events",
    text: `delete from events_default where id in (select id from events_default where id < id_floor($1::date::timestamp at time zone 'UTC') limit ${SLICE})`,
  },
  {
    name: "expired_deliveries",
    text: `delete from deliveries_default where id in (select id from deliveries_default where id < id_floor($1::date::timestamp at time zone 'UTC') limit ${SLICE})`,
  },
  {
    name: "expired_attempts",
    text: `delete from attempts_default where delivery_id in (select delivery_id from attempts_default where delivery_id < id_floor($1::date::timestamp at time zone 'UTC') limit ${SLICE})`,
  },
  {
    name: "expired_webhook_hours",
    text: `delete from webhook_hours where (space_id, webhook_id, hour) in (select space_id, webhook_id, hour from webhook_hours where hour < $1::date limit ${SLICE})`,
  },
];

const EXPIRED_BY_THEMSELVES: readonly Statement[] = [
  {
    name: "expired_idempotency_keys",
    text: `delete from idempotency_keys where (space_id, key) in (select space_id, key from idempotency_keys where created_at < now() - make_interval(secs => $1) limit ${SLICE})`,
  },
];

const EXPIRED_ACCESS: readonly Statement[] = [
  { name: "expired_sign_in_links", text: "delete from sign_in_links where expires_at < now() - interval '1 day'" },
  { name: "expired_upload_tokens", text: "delete from upload_tokens where expires_at < now()" },
];

/**
 * Deletes rows from before `day` in the default partitions, hourly counts from before `day`, idempotency keys older
 * than `idempotency_s`, and expired links and tokens. Several nodes can run it at the same time.
 */
export async function removeExpired(sql: Sql, day: string, idempotency_s: number): Promise<void> {
  for (const statement of EXPIRED) await sql.run(statement, [day]);
  for (const statement of EXPIRED_BY_THEMSELVES) await sql.run(statement, [idempotency_s]);
  for (const statement of EXPIRED_ACCESS) await sql.run(statement);
}
