import type { Clock } from "../clock.ts";
import type { AttemptEnded } from "../delivery/dispatcher-parts.ts";
import type { Recorder } from "../events/record.ts";
import { shortUuid } from "../events/short-uuid.ts";
import { LIMITS } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Signals } from "../signals.ts";
import type { Database } from "../store/db.ts";
import { tryTurn } from "../store/turns.ts";
import { listFailingWebhooks, setWebhookStatus, warnOfWebhook } from "../store/webhooks.ts";
import { presentWebhook } from "./webhook.ts";

interface DisablingParts {
  db: Database;
  recorder: Recorder;
  clock: Clock;
  log: Log;
  signals: Signals;
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
    this.#parts.clock.after(LIMITS.WEBHOOK_FAILING_LOOK_MS, () => {
      if (this.#stopped) return;
      this.#running = this.look()
        .catch((err: unknown) => this.#parts.log.warn({ err }, "failing webhooks were not looked for"))
        .then(() => this.#next());
    });
  }

  /** Hears of every attempt: a 410 disables at once. */
  note({ verdict, target }: AttemptEnded): void {
    if (!verdict.gone) return;
    void this.disable(target.space, target.webhook, GONE).catch((err: unknown) =>
      this.#parts.log.warn({ err }, "a webhook whose receiver is gone was not disabled; its next answer will do it"),
    );
  }

  /** One look for those that only fail; another node's look makes this one do nothing. */
  async look(): Promise<void> {
    const { WEBHOOK_WARNED_MS, WEBHOOK_FAILING_MS } = LIMITS;
    const [warn, disable] = await this.#parts.db.transaction(async (tx) => {
      if (!(await tryTurn(tx, "disabling"))) return [[], []];
      return [await listFailingWebhooks(tx, WEBHOOK_WARNED_MS), await listFailingWebhooks(tx, WEBHOOK_FAILING_MS)];
    });
    for (const { space_id, id } of warn) await this.#warn(space_id, id);
    for (const { space_id, id } of disable) await this.disable(space_id, id, ONLY_FAILURES);
  }

  /** Once for each time that it fails. */
  async #warn(space: string, id: string): Promise<void> {
    const { recorder, signals } = this.#parts;
    const warned = await recorder.transaction(async (tx) => {
      const row = await warnOfWebhook(tx, space, id, LIMITS.WEBHOOK_WARNED_MS);
      if (row === undefined) return false;
      const data = presentWebhook(row);
      await tx.record({ space, type: "webhook.failing", video: null, sequence: 0, data, except: id });
      return true;
    });
    if (warned) signals.emit("webhook", { space, webhook: shortUuid(id) });
  }

  /** @param id UUID. Does nothing to one that is not enabled. */
  async disable(space: string, id: string, reason: string): Promise<void> {
    const { recorder, signals, log } = this.#parts;
    const disabled = await recorder.transaction(async (tx) => {
      const row = await setWebhookStatus(tx, space, id, "disabled", reason);
      if (row === undefined) return null;
      const data = presentWebhook(row);
      await tx.record({ space, type: "webhook.disabled", video: null, sequence: 0, data, except: id });
      return data;
    });
    if (disabled === null) return;
    signals.emit("webhook", { space, webhook: shortUuid(id) });
    log.warn({ webhook: disabled.id, reason }, "webhook disabled");
  }
}
