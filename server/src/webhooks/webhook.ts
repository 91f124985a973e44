import { unixSeconds } from "../kernel/clock.ts";
import type { EventType } from "../kernel/event-catalog.ts";
import { LIMITS } from "../kernel/limits.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import type { Ordering, WebhookRow, WebhookStatus } from "../store/webhooks.ts";
import type { Vault } from "./secrets.ts";

/**
 * A webhook's states and its API object. Pure.
 *
 *     enabled ──paused by a user──▶ paused ──resumed by a user──▶ enabled
 *        │                                                           ▲
 *        └──410, or 5 days of failures──▶ disabled ──resumed by a user┘
 *
 * Deliveries to paused and disabled webhooks are still recorded but held, so nothing is lost.
 */
export type { Ordering, WebhookRow, WebhookStatus };

/** The API object for a webhook, which is also the `data` of its events. Times are in Unix seconds. */
export interface Webhook {
  id: string;
  object: "webhook";
  created: number;
  url: string;
  description: string | null;
  events: EventType[];
  status: WebhookStatus;
  status_reason: string | null;
  status_since: number;
  ordering: Ordering;
  rate_limit: number | null;
  headers: Record<string, string>;
  secret_hint: string;
  secret_since: number;
  previous_secret_hint: string | null;
  previous_secret_until: number | null;
  failing_since: number | null;
  disables_at: number | null;
  waits_until: number | null;
}

const HIDDEN = "••••";
export const PAUSED_BY_PERSON = "Paused by a user.";

/** @param vault needed for the previous secret's hint, because only the current secret's hint is stored */
export function presentWebhook(row: WebhookRow, vault: Pick<Vault, "hint">): Webhook {
  return {
    id: shortUuid(row.id),
    object: "webhook",
    created: seconds(row.created_at),
    url: row.url,
    description: row.description,
    events: row.events,
    status: row.status,
    status_reason: row.status_reason,
    status_since: seconds(row.status_since),
    ordering: row.ordering,
    rate_limit: row.rate_limit,
    headers: Object.fromEntries(row.header_names.map((name) => [name, HIDDEN])),
    secret_hint: row.secret_hint,
    secret_since: seconds(row.secret_since),
    previous_secret_hint: row.previous_secret && vault.hint(row.previous_secret, row.id),
    previous_secret_until: row.previous_secret_until && seconds(row.previous_secret_until),
    failing_since: row.failing_since && seconds(row.failing_since),
    disables_at: disablesAt(row),
    waits_until: row.waits_until && seconds(row.waits_until),
  };
}

/**
 * Returns the Unix time in seconds at which a failing webhook will be disabled if no delivery succeeds first. Returns
 * null for other webhooks.
 */
export function disablesAt({ status, failing_since }: Pick<WebhookRow, "status" | "failing_since">): number | null {
  if (status !== "enabled" || failing_since === null) return null;
  return unixSeconds(failing_since.getTime() + LIMITS.WEBHOOK_FAILING_MS);
}

const seconds = (time: Date): number => unixSeconds(time.getTime());
