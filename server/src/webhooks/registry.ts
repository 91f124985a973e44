import { type Clock, unixSeconds } from "../kernel/clock.ts";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import { requireFound, requireUuid } from "../kernel/not-found.ts";
import { type Page, type PageQuery, pageOf } from "../kernel/page.ts";
import type { Random } from "../kernel/random.ts";
import { longUuid } from "../kernel/short-uuid.ts";
import type { Signals } from "../kernel/signals.ts";
import { uuidV7 } from "../kernel/uuid.ts";
import type { Database, Sql, Transactional } from "../store/db.ts";
import { cancelWebhookDeliveries } from "../store/queue/cancel.ts";
import { retryEarly } from "../store/queue/retry-early.ts";
import * as store from "../store/webhooks.ts";
import { checkInput, type UrlPolicy, type WebhookChange, type WebhookInput } from "./input.ts";
import { newSecret, secretHint, type Vault } from "./secrets.ts";
import { PAUSED_BY_PERSON, presentWebhook, type Webhook, type WebhookRow } from "./webhook.ts";

export interface WebhookSecret {
  object: "secret";
  secret: string;
  previous_secret: string | null;
  previous_secret_until: number | null;
}

/** The API object for a request to send a webhook's retries now. */
export interface Retries {
  object: "retries";
  webhook: string;
  /** How many deliveries became due. */
  count: number;
  /** Whether more retries may remain on their schedule. */
  has_more: boolean;
}

export type WithSecret = Webhook & { secret: string };

/**
 * A space's webhooks, identified by short ids. Each function that takes an id throws NOT_FOUND if the space has no
 * webhook with that id.
 */
export interface Webhooks {
  /** @throws REQUEST_INVALID, URL_REFUSED, LIMIT_REACHED */
  create(db: Transactional, space: string, input: WebhookInput & { by?: string }): Promise<WithSecret>;
  list(space: string, query: PageQuery): Promise<Page<Webhook>>;
  get(space: string, id: string): Promise<Webhook>;
  /** @throws REQUEST_INVALID, URL_REFUSED */
  update(db: Transactional, space: string, id: string, change: WebhookChange): Promise<Webhook>;
  /**
   * Makes the webhook's retries due now. If they fail again, they return to their schedule without using a step of it.
   * @throws CONFLICT if the webhook is not enabled
   */
  retry(db: Transactional, space: string, id: string): Promise<Retries>;
  /**
   * Deletes a webhook and cancels its pending deliveries. Attempts in flight complete, but their responses are
   * discarded.
   */
  remove(db: Transactional, space: string, id: string): Promise<Webhook>;
  revealSecret(sql: Sql, space: string, id: string): Promise<WebhookSecret>;
  /**
   * Replaces the secret. Deliveries are signed with both secrets for `overlap_seconds` (one day by default).
   * @throws REQUEST_INVALID
   */
  rotateSecret(
    db: Transactional,
    space: string,
    id: string,
    rotation: { overlap_seconds?: number | undefined; secret?: string | undefined },
  ): Promise<WithSecret>;
}

export interface WebhooksParts {
  db: Database;
  policy: UrlPolicy;
  vault: Vault;
  clock: Clock;
  random: Random;
  signals: Signals;
}

export function createWebhooks(parts: WebhooksParts): Webhooks {
  const { db, vault } = parts;
  const present = (row: WebhookRow) => presentWebhook(row, vault);
  return {
    create: (db, space, input) => create(parts, db, space, input),
    list: (space, query) =>
      pageOf(query, longUuid, present, {
        after: (after, limit) => store.listWebhooksAfter(db, space, after, limit),
        before: (before, limit) => store.listWebhooksBefore(db, space, before, limit),
      }),
    get: async (space, id) => present(requireFound(await store.getWebhook(db, space, requireUuid(id)))),
    update: (db, space, id, change) => update(parts, db, space, id, change),
    retry: (db, space, id) => retry(parts, db, space, id),
    remove: (db, space, id) => remove(parts, db, space, id),
    revealSecret: (sql, space, id) => revealSecret(parts, sql, space, id),
    rotateSecret: (db, space, id, rotation) => rotateSecret(parts, db, space, id, rotation),
  };
}

async function create(
  parts: WebhooksParts,
  db: Transactional,
  space: string,
  input: WebhookInput & { by?: string },
): Promise<WithSecret> {
  const { clock, random, vault, signals } = parts;
  const url = checkInput(input, parts.policy);
  const id = uuidV7(clock.now(), random);
  const secret = input.secret ?? newSecret(random);
  const headers = sealHeaders(vault, id, input.headers ?? {});
  const { description = null, events, ordering = "video", rate_limit = null, by = null } = input;
  const sealed = { secret: vault.seal(secret, id), secret_hint: secretHint(secret) };
  const chosen = { url: url!, description, events, ordering, rate_limit, by };
  return db.transaction(async (tx) => {
    const max = LIMITS.WEBHOOKS_PER_SPACE_MAX;
    const row = await store.insertWebhook(tx, { space, id, ...chosen, ...headers, ...sealed }, max);
    if (row === undefined) throw new MaveError("LIMIT_REACHED", `This space has reached its limit of ${max} webhooks.`);
    const made = { ...presentWebhook(row, vault), secret };
    tx.afterCommit(() => signals.emit("webhook", { space, webhook: made.id }));
    return made;
  });
}

async function update(
  { policy, vault, signals }: WebhooksParts,
  db: Transactional,
  space: string,
  id: string,
  change: WebhookChange,
): Promise<Webhook> {
  const uuid = requireUuid(id);
  const url = checkInput(change, policy);
  return db.transaction(async (tx) => {
    const row = requireFound(await store.lockWebhook(tx, space, uuid));
    const { events = row.events, description = row.description, ordering = row.ordering } = change;
    const { rate_limit = row.rate_limit } = change;
    const headers = change.headers === undefined ? {} : sealHeaders(vault, uuid, change.headers);
    const next = { ...row, url: url ?? row.url, events, description, ordering, rate_limit, ...headers };
    let saved = await store.updateWebhook(tx, next);
    if (change.status !== undefined) saved = await switchTo(tx, saved, change.status);
    tx.afterCommit(() => {
      signals.emit("webhook", { space, webhook: id });
      if (saved.status === "enabled") signals.emit("due", { webhook: uuid });
    });
    return presentWebhook(saved, vault);
  });
}

async function switchTo(tx: Sql, row: WebhookRow, status: "enabled" | "paused"): Promise<WebhookRow> {
  const reason = status === "paused" ? PAUSED_BY_PERSON : null;
  const saved = await store.setWebhookStatus(tx, row.space_id, row.id, status, reason);
  if (saved !== undefined && status === "enabled") await retryEarly(tx, row.id, BY_HAND);
  return saved ?? row;
}

const BY_HAND = { repeatedly: true, max: LIMITS.RETRIES_ROWS_MAX };

async function retry({ signals }: WebhooksParts, db: Transactional, space: string, id: string): Promise<Retries> {
  const uuid = requireUuid(id);
  return db.transaction(async (tx) => {
    const { status } = requireFound(await store.lockWebhook(tx, space, uuid));
    if (status !== "enabled") throw new MaveError("CONFLICT", `This webhook is ${status}. Resume it instead.`);
    await store.setWaitsUntil(tx, space, uuid, 0);
    const count = await retryEarly(tx, uuid, BY_HAND);
    tx.afterCommit(() => {
      signals.emit("webhook", { space, webhook: id });
      signals.emit("due", { webhook: uuid });
    });
    return { object: "retries", webhook: id, count, has_more: count === BY_HAND.max };
  });
}

async function remove(
  { vault, signals }: WebhooksParts,
  db: Transactional,
  space: string,
  id: string,
): Promise<Webhook> {
  const uuid = requireUuid(id);
  return db.transaction(async (tx) => {
    const webhook = presentWebhook(requireFound(await store.lockWebhook(tx, space, uuid)), vault);
    await store.deleteWebhook(tx, space, uuid);
    await cancelWebhookDeliveries(tx, space, uuid, "Its webhook was deleted.");
    tx.afterCommit(() => signals.emit("webhook", { space, webhook: id }));
    return webhook;
  });
}

async function revealSecret({ vault }: WebhooksParts, sql: Sql, space: string, id: string): Promise<WebhookSecret> {
  const row = requireFound(await store.getWebhook(sql, space, requireUuid(id)));
  return {
    object: "secret",
    secret: vault.open(row.secret, row.id),
    previous_secret: row.previous_secret && vault.open(row.previous_secret, row.id),
    previous_secret_until: row.previous_secret_until && unixSeconds(row.previous_secret_until.getTime()),
  };
}

const OVERLAP_DEFAULT_S = 86_400; // a day to deploy the new secret

async function rotateSecret(
  { policy, vault, random, signals }: WebhooksParts,
  db: Transactional,
  space: string,
  id: string,
  { overlap_seconds = OVERLAP_DEFAULT_S, secret = newSecret(random) }: Parameters<Webhooks["rotateSecret"]>[3],
): Promise<WithSecret> {
  const uuid = requireUuid(id);
  checkInput({ secret, overlap_seconds }, policy);
  return db.transaction(async (tx) => {
    const sealed = vault.seal(secret, uuid);
    const row = await store.rotateWebhookSecret(tx, space, uuid, sealed, secretHint(secret), overlap_seconds);
    tx.afterCommit(() => signals.emit("webhook", { space, webhook: id }));
    return { ...presentWebhook(requireFound(row), vault), secret };
  });
}

function sealHeaders(vault: Vault, id: string, headers: Record<string, string>) {
  const header_names = Object.keys(headers);
  return { headers: header_names.length > 0 ? vault.seal(JSON.stringify(headers), id) : null, header_names };
}
