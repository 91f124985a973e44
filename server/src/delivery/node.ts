import type { LocalDispatcher } from "../events/record.ts";
import { LIMITS } from "../kernel/limits.ts";
import { Loop } from "../kernel/loop.ts";
import { longUuid } from "../kernel/short-uuid.ts";
import { Dispatcher, type DispatcherParts, type DispatcherStats } from "./dispatcher.ts";
import { createNodeSession } from "./node-session.ts";
import { Sweeper } from "./sweeper.ts";

export type DeliveryNodeParts = Omit<DispatcherParts, "node" | "nodes"> & {
  /** Whether no other process can use this database. */
  alone?: boolean;
};

/** One node's delivery engine: its database session, its dispatcher and its sweeper. */
export interface DeliveryNode {
  dispatcher: LocalDispatcher;
  /** Resolves once this node accepts work. */
  start(): Promise<void>;
  /** Shuts down within about `patience_ms`: settles the attempts in flight and returns all other leases. */
  drain(patience_ms: number): Promise<void>;
  stats(): DispatcherStats & { nodes: number };
}

export function createDeliveryNode(parts: DeliveryNodeParts): DeliveryNode {
  const { db, clock, log, signals, watchdog, alone = false } = parts;
  const session = createNodeSession({
    db,
    clock,
    log,
    watchdog,
    onNotice: (channel, webhooks) => {
      const named = webhooks.length > 0 ? webhooks : undefined;
      if (channel === "mave_due") dispatcher.wake(named);
      else void dispatcher.changed(named);
    },
    onLost: () => dispatcher.returnUnsent(),
  });
  const node = () => session.number();
  const dispatcher: Dispatcher = new Dispatcher({ ...parts, node, nodes: () => sweeper.nodes });
  const sweeper = new Sweeper({ db, clock, log, watchdog, alone, node, wake: () => dispatcher.wake() });
  const stops: (() => void)[] = [];
  let isEnding = false;

  /** Finds webhooks that another node changed, in case the notice about the change was lost. */
  const changes = new Loop(parts, {
    name: "webhook changes",
    round: () => dispatcher.changed(),
    interval_ms: LIMITS.POLL_CHANGES_MS,
    onError: (err) => log.warn({ err }, "Failed to read changed webhooks; the next poll retries"),
  });

  return {
    dispatcher,
    async start() {
      await session.start();
      if (isEnding) return session.close(); // the process was told to shut down during startup
      stops.push(signals.on("due", ({ webhook }) => dispatcher.wake([webhook])));
      stops.push(signals.on("webhook", ({ webhook }) => void dispatcher.changed([longUuid(webhook)!])));
      dispatcher.start();
      sweeper.start();
      void changes.start();
    },
    async drain(patience_ms) {
      isEnding = true;
      for (const stop of stops) stop();
      await Promise.all([sweeper.stop(), changes.stop(), dispatcher.drain(patience_ms)]);
      await session.close();
    },
    stats: () => ({ ...dispatcher.stats(), nodes: sweeper.nodes }),
  };
}
