import { LIMITS } from "../kernel/limits.ts";
import { Loop, type LoopParts } from "../kernel/loop.ts";
import type { Random } from "../kernel/random.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import type { Signals } from "../kernel/signals.ts";
import { UUID_MIN } from "../kernel/uuid.ts";
import type { Database, Transaction } from "../store/db.ts";
import { storeFailure } from "../store/failures.ts";
import { releaseNext } from "../store/queue/release.ts";
import { reopenDeliveries } from "../store/queue/reopen.ts";
import * as store from "../store/replays.ts";

export interface ReplayRunnerParts extends LoopParts {
  db: Database;
  random: Random;
  signals: Signals;
}

export interface ReplayRunner {
  /** Starts advancing running replays on this node. All nodes share this work. */
  start(): void;
  /** Stops after the current round. */
  stop(): Promise<void>;
  /**
   * Advances every running replay by one step, except those that another node has locked.
   * @returns whether any replay has more to do
   */
  round(): Promise<boolean>;
  /** Starts a round now instead of at the next poll. */
  wake(): void;
}

/**
 * Advances the running replays in rounds. Rounds follow each other quickly while there is work; otherwise, one runs at
 * each poll.
 */
export function createReplayRunner(parts: ReplayRunnerParts): ReplayRunner {
  const { db, signals } = parts;

  async function round(): Promise<boolean> {
    let hasMore = false;
    for (let after: string | null = UUID_MIN; after !== null; ) {
      const step: Step = await tryStep(after);
      hasMore ||= step.hasMore;
      after = step.replay;
    }
    return hasMore;
  }

  /** Advances one replay. If that fails, the others must not wait for it. @throws if the database is unavailable */
  async function tryStep(after: string): Promise<Step> {
    let locked: store.RunningReplay | undefined;
    const onLocked = (replay: store.RunningReplay) => {
      locked = replay;
    };
    try {
      return await db.transaction((tx) => stepAfter(tx, { db, signals }, after, onLocked));
    } catch (err) {
      if (locked === undefined || storeFailure(err) !== null) throw err;
      const ids = { replay: shortUuid(locked.id), webhook: shortUuid(locked.webhook_id) };
      parts.log.warn({ err, ...ids }, "Replay step failed; retrying in the next round");
      return { replay: locked.id, hasMore: false };
    }
  }

  const loop = new Loop(parts, {
    name: "replays",
    round: async () => ((await round()) ? LIMITS.REPLAY_STEP_MS : LIMITS.REPLAY_POLL_MS),
    interval_ms: LIMITS.REPLAY_POLL_MS,
    onError: (err) => parts.log.warn({ err }, "Replay round failed; retrying at the next poll"),
  });
  return { round, wake: () => loop.wake(), start: () => void loop.start(), stop: () => loop.stop() };
}

interface Step {
  /** The replay that was advanced; null if there is none after the given id. */
  replay: string | null;
  hasMore: boolean;
}

/** Reopens the replay's next deliveries and moves its cursor, in one transaction. */
async function stepAfter(
  tx: Transaction,
  { db, signals }: Pick<ReplayRunnerParts, "db" | "signals">,
  after: string,
  onLocked: (replay: store.RunningReplay) => void,
): Promise<Step> {
  const replay = await store.lockNextReplay(tx, after);
  if (replay === undefined) return { replay: null, hasMore: false };
  onLocked(replay);
  const { id, space_id, webhook_id, pending, rate, idle_s } = replay;
  if (replay.orphaned) {
    await store.changeReplay(tx, space_id, id, "canceled", "Its webhook was deleted.");
    return { replay: id, hasMore: false };
  }
  const limit = replay.is_waiting ? 0 : allowance(pending, LIMITS.REPLAY_WINDOW, rate, idle_s);
  if (limit === 0) return { replay: id, hasMore: true };
  const events = await store.nextReplayed(tx, replay, limit);
  const reopened = events.length === 0 ? [] : await reopenDeliveries(tx, { ...replay, events, step: 0, replay: id });
  if (events.length > 0) await store.advanceReplay(tx, replay, reopened.length, events.at(-1)!);
  const hasMore = events.length === limit;
  if (!hasMore) await store.changeReplay(tx, space_id, id, "done");
  tx.afterCommit(async () => {
    await releaseNext(db, reopened, null); // some may wait for a delivery that has since finished
    signals.emit("due", { webhook: webhook_id });
  });
  return { replay: id, hasMore };
}

/**
 * Returns how many deliveries a replay may reopen now.
 * @param pending how many of its deliveries are pending
 * @param window how many of its deliveries may be pending
 * @param rate deliveries per second; null if only the window limits it
 * @param idle_s seconds since it last reopened deliveries
 */
export function allowance(pending: number, window: number, rate: number | null, idle_s: number): number {
  const free = Math.max(0, window - pending);
  // At most one second's worth of deliveries, so that a replay does not exceed its rate to catch up after a pause.
  return rate === null ? free : Math.min(free, Math.floor(rate * Math.min(1, Math.max(0, idle_s))));
}
