import type { LocalDispatcher } from "../events/record.ts";
import { LIMITS } from "../kernel/limits.ts";
import { longUuid } from "../kernel/short-uuid.ts";
import { Dispatcher, type DispatcherParts } from "./dispatcher.ts";
import type { DispatcherStats } from "./dispatcher-parts.ts";
import { createNodeSession } from "./node-session.ts";
import { Sweeper } from "./sweeper.ts";

export type DeliveryNodeParts = Omit<DispatcherParts, "node" | "nodes"> & {
  /** No other process can be at this database. */
  alone?: boolean;
};

/** All of delivery on one node: its number, its dispatcher, its sweeper and its ears. */
export interface DeliveryNode {
  /** What the recorder hands deliveries to. */
  dispatcher: LocalDispatcher;
  /** Resolves once it takes work. */
  start(): Promise<void>;
  /** Ends within `patience_ms`, with every attempt settled and every lease given back. */
  drain(patience_ms: number): Promise<void>;
  stats(): DispatcherStats & { nodes: number };
}

export function createDeliveryNode(parts: DeliveryNodeParts): DeliveryNode {
  const { db, clock, log, signals, attempt_ms, alone = false } = parts;
  const session = createNodeSession({
    db,
    clock,
    log,
    onNotice: (channel, webhooks) => {
      const which = webhooks.length > 0 ? webhooks : undefined;
      if (channel === "mave_due") dispatcher.wake(which);
      else void dispatcher.changed(which);
    },
    onLost: () => dispatcher.forsake(),
  });
  const node = () => session.number();
  const dispatcher: Dispatcher = new Dispatcher({ ...parts, node, nodes: () => sweeper.nodes });
  const lease_ms = Math.max(LIMITS.LEASE_MS, attempt_ms * 2);
  const sweeper = new Sweeper({ db, clock, log, lease_ms, alone, node, wake: () => dispatcher.wake() });
  const ends: (() => void)[] = [];
  let ending = false;

  /** Webhooks that another node changed while its notice was lost. */
  function lookForChanges(): void {
    void dispatcher.changed();
    ends[0] = clock.after(LIMITS.POLL_CHANGES_MS, lookForChanges);
  }

  return {
    dispatcher: dispatcher,
    async start() {
      await session.start();
      if (ending) return session.close(); // the process is told to end in the middle of its start
      ends.push(clock.after(LIMITS.POLL_CHANGES_MS, lookForChanges));
      ends.push(signals.on("due", ({ webhook }) => dispatcher.wake([webhook])));
      ends.push(signals.on("webhook", ({ webhook }) => void dispatcher.changed([longUuid(webhook)!])));
      dispatcher.start();
      sweeper.start();
    },
    async drain(patience_ms) {
      ending = true;
      for (const end of ends) end();
      await sweeper.stop();
      await dispatcher.drain(patience_ms);
      await session.close();
    },
    stats: () => ({ ...dispatcher.stats(), nodes: sweeper.nodes }),
  };
}
