import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import { longUuid } from "../kernel/short-uuid.ts";
import type { Signals } from "../kernel/signals.ts";
import type { Database } from "../store/db.ts";
import { sendNotice } from "../store/notices.ts";
import type { Channel } from "./node-session.ts";

interface NotifierParts {
  db: Database;
  clock: Clock;
  log: Log;
  signals: Signals;
  /**
   * Whether this node delivers. If so, its own dispatcher sends due deliveries, and other nodes are not notified of
   * them.
   */
  delivers: boolean;
}

/**
 * Notifies the other nodes of changes made on this node. Notifications are batched for NOTICE_BATCH_MS. If one is lost,
 * the other nodes find the change when they next poll.
 * @returns a function that stops the notifier
 */
export function startNotifier({ db, clock, log, signals, delivers }: NotifierParts): () => void {
  const batches = new Map<Channel, Set<string>>();

  function notify(channel: Channel, webhook: string): void {
    const batch = batches.get(channel);
    if (batch !== undefined) return void batch.add(webhook);
    batches.set(channel, new Set([webhook]));
    clock.after(LIMITS.NOTICE_BATCH_MS, () => {
      const webhooks = [...batches.get(channel)!];
      batches.delete(channel);
      sendNotice(db, channel, webhooks).catch((err: unknown) =>
        log.debug({ err, channel }, "Failed to notify other nodes"),
      );
    });
  }

  const stops = [
    signals.on("webhook", ({ webhook }) => notify("mave_webhook", longUuid(webhook)!)),
    delivers ? () => {} : signals.on("due", ({ webhook }) => notify("mave_due", webhook)),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
