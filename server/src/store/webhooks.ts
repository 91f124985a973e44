import type { EventType } from "../kernel/event-catalog.ts";
import type { Sql, Statement } from "./db.ts";

export type WebhookStatus = "enabled" | "paused" | "disabled";
export type Ordering = "video" | "none";

export interface WebhookRow {
  space_id: string;
  id: string;
  url: string;
  description: string | null;
  events: EventType[];
  status: WebhookStatus;
  status_reason: string | null;
  status_since: Date;
  ordering: Ordering;
  rate_limit: number | null;
  headers: Buffer | null;
  header_names: string[];
  secret: Buffer;
  secret_hint: string;
  secret_since: Date;
  previous_secret: Buffer | null;
  previous_secret_until: Date | null;
  failing_since: Date | null;
  /** Until when the receiver asked to be sent nothing (Retry-After); null if that time has passed. */
  waits_until: Date | null;
  certificate_until: Date | null;
  created_at: Date;
}

// An expired previous secret is read as null, although the row still contains it.
const OVERLAPS = "previous_secret_until > now()";
export const WEBHOOK = `space_id, id, url, description, events, status, status_reason, status_since, ordering, rate_limit, headers,
  header_names, secret, secret_hint, secret_since, case when ${OVERLAPS} then previous_secret end as previous_secret,
  case when ${OVERLAPS} then previous_secret_until end as previous_secret_until, failing_since, certificate_until,
  case when waits_until > now() then waits_until end as waits_until, created_at`;

export interface NewWebhook {
  space: string;
  id: string;
  url: string;
  description: string | null;
  events: EventType[];
  ordering: Ordering;
  rate_limit: number | null;
  headers: Buffer | null;
  header_names: string[];
  secret: Buffer;
  secret_hint: string;
  by: string | null;
}

// Locks the space's row, so that two concurrent calls cannot both take the last slot.
const insert: Statement = {
  name: "webhook_insert",
  text: `with place as (select id from spaces where id = $1 for update)
    insert into webhooks (space_id, id, url, description, events, ordering, rate_limit, headers, header_names, secret,
      secret_hint, created_by)
    select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 from place
    where (select count(*) from webhooks where space_id = $1) < $13
    returning ${WEBHOOK}`,
};

/** Inserts a webhook. @returns undefined if the space already has `max` webhooks */
export async function insertWebhook(tx: Sql, webhook: NewWebhook, max: number): Promise<WebhookRow | undefined> {
  const { space, id, url, description, events, ordering, rate_limit, headers, header_names } = webhook;
  const shown = [space, id, url, description, events, ordering, rate_limit, headers, header_names];
  const values = [...shown, webhook.secret, webhook.secret_hint, webhook.by, max];
  return (await tx.run<WebhookRow>(insert, values))[0];
}

const get: Statement = { name: "webhook_get", text: `select ${WEBHOOK} from webhooks where space_id = $1 and id = $2` };

export async function getWebhook(sql: Sql, space: string, id: string): Promise<WebhookRow | undefined> {
  return (await sql.run<WebhookRow>(get, [space, id]))[0];
}

const lock: Statement = { name: "webhook_lock", text: `${get.text} for update` };

export async function lockWebhook(tx: Sql, space: string, id: string): Promise<WebhookRow | undefined> {
  return (await tx.run<WebhookRow>(lock, [space, id]))[0];
}

// Ids are UUIDv7, so id order is creation order.
const listOlder: Statement = {
  name: "webhooks_list_older",
  text: `select ${WEBHOOK} from webhooks where space_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3`,
};
const listNewer: Statement = {
  name: "webhooks_list_newer",
  text: `select ${WEBHOOK} from webhooks where space_id = $1 and id > $2 order by id limit $3`,
};

/** Lists webhooks older than `after`, newest first. */
export async function listWebhooksAfter(sql: Sql, space: string, after: string | null, limit: number) {
  return sql.run<WebhookRow>(listOlder, [space, after, limit]);
}

/** Lists the webhooks that are just newer than `before`, oldest first. */
export async function listWebhooksBefore(sql: Sql, space: string, before: string, limit: number) {
  return sql.run<WebhookRow>(listNewer, [space, before, limit]);
}

const byIds: Statement = {
  name: "webhooks_by_ids",
  text: `select ${WEBHOOK}, greatest(0, extract(epoch from waits_until - now()) * 1000)::float8 as rest_ms
    from webhooks where id = any($1::uuid[])`,
};

/** Returns these webhooks' rows, for a dispatcher. Deleted webhooks are omitted. */
export async function getWebhooksById(sql: Sql, ids: readonly string[]): Promise<(WebhookRow & { rest_ms: number })[]> {
  return sql.run(byIds, [ids]);
}

// All times come from the database, whose clock may be adjusted between checks. The time of the last check is therefore
// taken to be its recorded time, or the current time minus the elapsed time if that is earlier.
const changed: Statement = {
  name: "webhooks_changed",
  text: `select id from webhooks where changed_at
    > least(to_timestamp($1::float8 / 1000), now() - $2::float8 * interval '1 ms') - $3::float8 * interval '1 ms'`,
};

/**
 * Lists the ids of the webhooks that changed since the last check.
 * @param looked_ms the database's time at the last check
 * @param ago_ms how long ago the last check was
 * @param overlap_ms changes made up to this long before the last check are also listed
 */
export async function listChangedWebhooks(
  sql: Sql,
  looked_ms: number,
  ago_ms: number,
  overlap_ms: number,
): Promise<string[]> {
  return (await sql.run<{ id: string }>(changed, [looked_ms, ago_ms, overlap_ms])).map(({ id }) => id);
}

const update: Statement = {
  name: "webhook_update",
  text: `update webhooks set url = $3, description = $4, events = $5, ordering = $6, rate_limit = $7, headers = $8,
      header_names = $9, changed_at = now(), waits_until = case when url = $3 then waits_until end
    where space_id = $1 and id = $2 returning ${WEBHOOK}`,
};

/** Saves every field that a user may change. The caller must have locked the row. */
export async function updateWebhook(tx: Sql, row: WebhookRow): Promise<WebhookRow> {
  const { space_id, id, url, description, events, ordering, rate_limit, headers, header_names } = row;
  const values = [space_id, id, url, description, events, ordering, rate_limit, headers, header_names];
  return (await tx.run<WebhookRow>(update, values))[0]!;
}

const setStatus: Statement = {
  name: "webhook_set_status",
  text: `update webhooks set status = $3, status_reason = $4, status_since = now(), changed_at = now(),
      failing_since = case when $3 = 'enabled' then null else failing_since end,
      warned_at = case when $3 = 'enabled' then null else warned_at end,
      waits_until = case when $3 = 'enabled' then null else waits_until end
    where space_id = $1 and id = $2 and status <> $3
    returning ${WEBHOOK}`,
};

/** Sets the status chosen by a user. @returns undefined if the webhook already has that status or was deleted */
export async function setWebhookStatus(
  tx: Sql,
  space: string,
  id: string,
  status: Exclude<WebhookStatus, "disabled">,
  reason: string | null,
): Promise<WebhookRow | undefined> {
  return (await tx.run<WebhookRow>(setStatus, [space, id, status, reason]))[0];
}

// Disables a webhook only if it is enabled and the reason still applies.
const disableGone: Statement = {
  name: "webhook_disable_gone",
  text: `update webhooks set status = 'disabled', status_reason = $4, status_since = now(), changed_at = now()
    where space_id = $1 and id = $2 and status = 'enabled' and url = $3
    returning ${WEBHOOK}`,
};

/**
 * Disables a webhook whose receiver responded with 410.
 * @returns undefined if the webhook now has another URL or is not enabled
 */
export async function disableGoneWebhook(
  tx: Sql,
  space: string,
  id: string,
  url: string,
  reason: string,
): Promise<WebhookRow | undefined> {
  return (await tx.run<WebhookRow>(disableGone, [space, id, url, reason]))[0];
}

const disableFailing: Statement = {
  name: "webhook_disable_failing",
  text: `update webhooks set status = 'disabled', status_reason = $4, status_since = now(), changed_at = now()
    where space_id = $1 and id = $2 and status = 'enabled' and failing_since < now() - $3::float8 * interval '1 ms'
    returning ${WEBHOOK}`,
};

/**
 * Disables a webhook that has been failing for at least `for_ms`.
 * @returns undefined if it has recovered or is not enabled
 */
export async function disableFailingWebhook(
  tx: Sql,
  space: string,
  id: string,
  for_ms: number,
  reason: string,
): Promise<WebhookRow | undefined> {
  return (await tx.run<WebhookRow>(disableFailing, [space, id, for_ms, reason]))[0];
}

const rotate: Statement = {
  name: "webhook_rotate",
  text: `update webhooks set previous_secret = case when $5::integer > 0 then secret end,
      previous_secret_until = case when $5::integer > 0 then now() + $5::integer * interval '1 s' end,
      secret = $3, secret_hint = $4, secret_since = now(), changed_at = now(), waits_until = null
    where space_id = $1 and id = $2 returning ${WEBHOOK}`,
};

/**
 * Sets a new secret. The current secret becomes the previous one and stays valid for `overlap_s` seconds. Any older
 * secret expires immediately.
 */
export async function rotateWebhookSecret(
  tx: Sql,
  space: string,
  id: string,
  secret: Buffer,
  hint: string,
  overlap_s: number,
): Promise<WebhookRow | undefined> {
  return (await tx.run<WebhookRow>(rotate, [space, id, secret, hint, overlap_s]))[0];
}

const rest: Statement = {
  name: "webhook_rest",
  text: `update webhooks set changed_at = now(),
      waits_until = case when $3::float8 > 0 then now() + $3::float8 * interval '1 ms' end
    where space_id = $1 and id = $2 and ($3::float8 > 0 or waits_until > now())
    returning id`,
};

/**
 * Saves for how long the receiver asked to be sent nothing; 0 if it may be sent requests again.
 * @returns false if there was nothing to change
 */
export async function setWaitsUntil(sql: Sql, space: string, id: string, rest_ms: number): Promise<boolean> {
  return (await sql.run(rest, [space, id, rest_ms])).length > 0;
}

const remove: Statement = { name: "webhook_delete", text: "delete from webhooks where space_id = $1 and id = $2" };

/** Deletes a webhook. The caller must have locked the row, which proves that it exists. */
export async function deleteWebhook(tx: Sql, space: string, id: string): Promise<void> {
  await tx.run(remove, [space, id]);
}

const sealed: Statement = {
  name: "webhooks_sealed",
  text: `select space_id, id, secret, previous_secret, headers from webhooks where id > $1 order by id limit $2 for update`,
};
const reseal: Statement = {
  name: "webhook_reseal",
  text: `update webhooks set secret = $3, previous_secret = $4, headers = $5, changed_at = now()
    where space_id = $1 and id = $2`,
};

export interface SealedValues {
  space_id: string;
  id: string;
  secret: Buffer;
  previous_secret: Buffer | null;
  headers: Buffer | null;
}

/** Locks the next `limit` webhooks after `after`, in id order, so that their encrypted values can be replaced. */
export async function lockSealedValues(tx: Sql, after: string, limit: number): Promise<SealedValues[]> {
  return tx.run<SealedValues>(sealed, [after, limit]);
}

export async function saveSealedValues(tx: Sql, row: SealedValues): Promise<void> {
  await tx.run(reseal, [row.space_id, row.id, row.secret, row.previous_secret, row.headers]);
}

// Served by webhooks_failing.
const failing: Statement = {
  name: "webhooks_failing",
  text: `select space_id, id from webhooks
    where status = 'enabled' and failing_since < now() - $1::float8 * interval '1 ms'`,
};

/** Lists enabled webhooks whose attempts have all failed for at least `for_ms`. */
export async function listFailingWebhooks(sql: Sql, for_ms: number): Promise<{ space_id: string; id: string }[]> {
  return sql.run(failing, [for_ms]);
}

const warn: Statement = {
  name: "webhook_warn",
  text: `update webhooks set warned_at = now()
    where space_id = $1 and id = $2 and status = 'enabled' and failing_since < now() - $3::float8 * interval '1 ms'
      and (warned_at is null or warned_at < failing_since)
    returning ${WEBHOOK}`,
};

/**
 * Records a warning about a webhook that has been failing for at least `for_ms`.
 * @returns undefined if one was already issued or the webhook has recovered
 */
export async function warnOfWebhook(
  tx: Sql,
  space: string,
  id: string,
  for_ms: number,
): Promise<WebhookRow | undefined> {
  return (await tx.run<WebhookRow>(warn, [space, id, for_ms]))[0];
}
