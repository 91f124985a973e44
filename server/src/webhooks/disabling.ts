import type { Recorder } from "../events/record.ts";
import { LIMITS } from "../kernel/limits.ts";
import { Loop, type LoopParts } from "../kernel/loop.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import type { Signals } from "../kernel/signals.ts";
import type { Database, Sql } from "../store/db.ts";
import { tryTurn } from "../store/turns.ts";
import { disableFailingWebhook, disableGoneWebhook, listFailingWebhooks, warnOfWebhook } from "../store/webhooks.ts";
import type { EndedAttempt } from "./health.ts";
import type { Vault } from "./secrets.ts";
import { presentWebhook, type WebhookRow } from "./webhook.ts";

interface DisablingParts extends LoopParts {
  db: Database;
  recorder: Recorder;
  signals: Signals;
  vault: Vault;
}

const GONE = "The receiver responded with 410 Gone to stop deliveries.";
const ONLY_FAILURES = "Every attempt failed for five days.";

/**
 * Disables a webhook if its receiver responds with 410 or if every attempt has failed for WEBHOOK_FAILING_MS. In the
 * second case, it issues a warning first, after WEBHOOK_WARNING_MS of failures. A warning commits together with a
 * `webhook.failing` event, and disabling together with a `webhook.disabled` event, both for the space's other webhooks.
 * Deliveries to a disabled webhook are held.
 */
export class Disabling {
  readonly #parts: DisablingParts;
  readonly #loop: Loop;

  constructor(parts: DisablingParts) {
    this.#parts = parts;
    this.#loop = new Loop(parts, {
      name: "failing webhooks",
      round: () => this.check(),
      interval_ms: LIMITS.WEBHOOK_FAILING_CHECK_MS,
      onError: (err) => parts.log.warn({ err }, "Failed to check for failing webhooks; retrying at the next check"),
    });
  }

  start(): void {
    void this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /**
   * Disables the webhook after a 410, unless its URL has changed since that attempt. Must be called after every
   * attempt.
   */
  note({ outcome, target }: EndedAttempt): void {
    if (!outcome.isGone) return;
    const { space, webhook, url } = target;
    void this.#disable((tx) => disableGoneWebhook(tx, space, webhook, url, GONE)).catch((err: unknown) =>
      this.#parts.log.warn(
        { err, webhook: shortUuid(webhook) },
        "Failed to disable a webhook after a 410; retrying at its next 410",
      ),
    );
  }

  /**
   * Warns about failing webhooks and disables those that have failed for too long. Does nothing if another node is
   * already checking.
   */
  async check(): Promise<void> {
    const { WEBHOOK_WARNING_MS, WEBHOOK_FAILING_MS } = LIMITS;
    const [warn, disable] = await this.#parts.db.transaction(async (tx) => {
      if (!(await tryTurn(tx, "disabling"))) return [[], []];
      return [await listFailingWebhooks(tx, WEBHOOK_WARNING_MS), await listFailingWebhooks(tx, WEBHOOK_FAILING_MS)];
    });
    for (const { space_id, id } of warn) await this.#try(id, this.#warn(space_id, id));
    for (const { space_id, id } of disable) {
      const disabling = (tx: Sql) => disableFailingWebhook(tx, space_id, id, WEBHOOK_FAILING_MS, ONLY_FAILURES);
      await this.#try(id, this.#disable(disabling));
    }
  }

  /** Logs a failure with the webhook's id, so that one webhook does not keep the others from being checked. */
  async #try(id: string, change: Promise<void>): Promise<void> {
    await change.catch((err: unknown) =>
      this.#parts.log.warn(
        { err, webhook: shortUuid(id) },
        "Failed to warn about or disable a failing webhook; retrying at the next check",
      ),
    );
  }

  /** Records `webhook.failing`, at most once per failing period. */
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

  /**
   * @param change disables the webhook unless the reason no longer applies, for example because the webhook has
   * recovered
   */
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
