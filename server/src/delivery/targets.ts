import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Database } from "../store/db.ts";
import { databaseTime } from "../store/ping.ts";
import { getWebhooksById, listChangedWebhooks } from "../store/webhooks.ts";
import type { Vault } from "../webhooks/secrets.ts";
import type { WebhookRow, WebhookStatus } from "../webhooks/webhook.ts";

/** What the dispatcher needs to know about a webhook, with its secrets decrypted. Kept in memory only. */
export interface Target {
  space: string;
  webhook: string;
  url: string;
  status: WebhookStatus;
  rate_limit: number | null;
  /** Newest first. */
  secrets: readonly string[];
  /** Until when requests are also signed with the previous secret, in Unix seconds; null if there is none. */
  previousSecretUntil_s: number | null;
  headers: Record<string, string> | null;
  /** Until when its receiver asked to be sent nothing, on the monotonic clock; 0 if it did not ask. */
  restUntil_ms: number;
  /** Whether its last attempt before it was read had failed. */
  isFailing: boolean;
}

/** The webhooks that this node knows, as last read from the database. */
export interface Targets {
  /** Returns null if the webhook is deleted, or undefined if it has not been read yet. */
  get(webhook: string): Target | null | undefined;
  /**
   * Reads these webhooks in one statement.
   * @throws if a secret cannot be decrypted; that webhook is then unknown, but the others are still read
   */
  load(webhooks: readonly string[]): Promise<void>;
  /** Rereads the webhooks that have changed on any node since the last call. @returns their UUIDs */
  refresh(): Promise<string[]>;
}

export function createTargets(db: Database, vault: Vault, clock: Pick<Clock, "monotonic">): Targets {
  const known = new Map<string, Target | null>();
  let refreshed: { at_ms: number; database_ms: number } | null = null; // may be long ago, if the node was frozen
  const load = async (webhooks: readonly string[]) => {
    if (known.size > LIMITS.TARGETS_CACHED_MAX) known.clear();
    const rows = new Map((await getWebhooksById(db, webhooks)).map((row) => [row.id, row]));
    const now_ms = clock.monotonic();
    const failures: string[] = [];
    for (const webhook of webhooks) {
      const row = rows.get(webhook);
      try {
        known.set(webhook, row === undefined ? null : targetOf(row, vault, now_ms));
      } catch (error) {
        known.delete(webhook); // unknown rather than deleted, so that its deliveries are not canceled
        failures.push((error as Error).message);
      }
    }
    if (failures.length > 0) throw new Error(failures.join("; "));
  };
  return {
    get: (webhook) => known.get(webhook),
    load,
    async refresh() {
      const now = { at_ms: clock.monotonic(), database_ms: await databaseTime(db) };
      const changed = refreshed === null ? [...known.keys()] : await changedSince(refreshed, now.at_ms);
      if (changed.length > 0) await load(changed);
      refreshed = now;
      return changed;
    },
  };

  async function changedSince({ at_ms, database_ms }: { at_ms: number; database_ms: number }, now_ms: number) {
    const listed = await listChangedWebhooks(db, database_ms, now_ms - at_ms, LIMITS.CHANGE_OVERLAP_MS);
    return listed.filter((webhook) => known.has(webhook));
  }
}

function targetOf(row: WebhookRow & { rest_ms: number }, vault: Vault, now_ms: number): Target {
  const { space_id, id, url, status, rate_limit } = row;
  const secrets = [row.secret, row.previous_secret].filter((sealed) => sealed !== null);
  return {
    space: space_id,
    webhook: id,
    url,
    status,
    rate_limit,
    secrets: secrets.map((sealed) => vault.open(sealed, id)),
    previousSecretUntil_s: row.previous_secret_until && row.previous_secret_until.getTime() / 1000,
    headers: row.headers && JSON.parse(vault.open(row.headers, id)),
    restUntil_ms: row.rest_ms > 0 ? now_ms + row.rest_ms : 0,
    isFailing: row.failing_since !== null,
  };
}
