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
  /** Whether this node delivers itself: then it needs nobody else for what is due. */
  delivers: boolean;
}

/**
 * Tells the other nodes what happened on this one. Notices are gathered for NOTICE_BATCH_MS, and one that is lost is
 * made up for by the other nodes' polls.
 * @returns a function that ends it
 */
export function startNotifier({ db, clock, log, signals, delivers }: NotifierParts): () => void {
  const gathered = new Map<Channel, Set<string>>();

  function tell(channel: Channel, webhook: string): void {
    const ids = gathered.get(channel);
    if (ids !== undefined) return void ids.add(webhook);
    gathered.set(channel, new Set([webhook]));
    clock.after(LIMITS.NOTICE_BATCH_MS, () => {
      const gone = [...gathered.get(channel)!];
      gathered.delete(channel);
      sendNotice(db, channel, gone).catch((err: unknown) => log.debug({ err, channel }, "a notice was not sent"));
    });
  }

  const ends = [
    signals.on("webhook", ({ webhook }) => tell("mave_webhook", longUuid(webhook)!)),
    delivers ? () => {} : signals.on("due", ({ webhook }) => tell("mave_due", webhook)),
  ];
  return () => {
    for (const end of ends) end();
  };
}
