import type { Recorder } from "../events/record.ts";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import type { Signals } from "../kernel/signals.ts";
import type { Database, Sql } from "../store/db.ts";
import { tryTurn } from "../store/turns.ts";
import { disableFailingWebhook, disableGoneWebhook, listFailingWebhooks, warnOfWebhook } from "../store/webhooks.ts";
import type { EndedAttempt } from "./health.ts";
import type { Vault } from "./secrets.ts";
import { presentWebhook, type WebhookRow } from "./webhook.ts";

interface DisablingParts {
  db: Database;
  recorder: Recorder;
  clock: Clock;
  log: Log;
  signals: Signals;
  vault: Vault;
}

const GONE = "The receiver answered 410 Gone: it wants no more deliveries.";
const ONLY_FAILURES = "Every attempt failed for five days.";

/**
 * Disables webhooks that are gone or have only failed for WEBHOOK_FAILING_MS, and warns of them at half of that time.
 * Their deliveries are held, not lost; the space's other webhooks are told by `webhook.failing` and `webhook.disabled`,
 * in the same transaction.
 */
export class Disabling {
  readonly #parts: DisablingParts;
  #stopped = true;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: DisablingParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#stopped = false;
    this.#next();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  #next(): void {
    this.#parts.clock.after(LIMITS.WEBHOOK_FAILING_CHECK_MS, () => {
      if (this.#stopped) return;
      this.#running = this.look()
        .catch((err: unknown) => this.#parts.log.warn({ err }, "failing webhooks were not looked for"))
        .then(() => this.#next());
    });
  }

  /** Hears of every attempt: a 410 disables at once, unless its webhook has another URL by now. */
  note({ outcome, target }: EndedAttempt): void {
    if (!outcome.isGone) return;
    const { space, webhook, url } = target;
    void this.#disable((tx) => disableGoneWebhook(tx, space, webhook, url, GONE)).catch((err: unknown) =>
      this.#parts.log.warn({ err }, "a webhook whose receiver is gone was not disabled; its next response will do it"),
    );
  }

  /** One look for those that only fail; another node's look makes this one do nothing. */
  async look(): Promise<void> {
    const { WEBHOOK_WARNING_MS, WEBHOOK_FAILING_MS } = LIMITS;
    const [warn, disable] = await this.#parts.db.transaction(async (tx) => {
      if (!(await tryTurn(tx, "disabling"))) return [[], []];
      return [await listFailingWebhooks(tx, WEBHOOK_WARNING_MS), await listFailingWebhooks(tx, WEBHOOK_FAILING_MS)];
    });
    for (const { space_id, id } of warn) await this.#warn(space_id, id);
    for (const { space_id, id } of disable)
      await this.#disable((tx) => disableFailingWebhook(tx, space_id, id, WEBHOOK_FAILING_MS, ONLY_FAILURES));
  }

  /** Once for each time that it fails. */
  async #warn(space: string, id: string): Promise<void> {
    const { db, recorder, signals, vault } = this.#parts;
    await db.transaction(async (tx) => {
      const row = await warnOfWebhook(tx, space, id, LIMITS.WEBHOOK_WARNING_MS);
      if (row === undefined) return;
      const data = presentWebhook(row, vault);
      await recorder.record(tx, { space, type: "webhook.failing", video: null, sequence: 0, data, except: id });
      tx.afterCommit(() => signals.emit("webhook", { space, webhook: shortUuid(id) }));
    });
  }

  /** @param change asks once more whether there is reason to: since that was found, it may have ended */
  async #disable(change: (tx: Sql) => Promise<WebhookRow | undefined>): Promise<void> {
    const { db, recorder, signals, vault, log } = this.#parts;
    await db.transaction(async (tx) => {
      const row = await change(tx);
      if (row === undefined) return;
      const [space, data] = [row.space_id, presentWebhook(row, vault)];
      await recorder.record(tx, { space, type: "webhook.disabled", video: null, sequence: 0, data, except: row.id });
      tx.afterCommit(() => {
        signals.emit("webhook", { space, webhook: data.id });
        log.warn({ webhook: data.id, reason: data.status_reason }, "Webhook disabled");
      });
    });
  }
}
