import type { Clock } from "./clock.ts";
import { createDeliveries, type Deliveries } from "./delivery/deliveries.ts";
import type { DispatcherParts } from "./delivery/dispatcher-parts.ts";
import { createDeliveryNode, type DeliveryNode } from "./delivery/node.ts";
import { startNotifier } from "./delivery/notifier.ts";
import { createReplays, type Replays } from "./delivery/replays.ts";
import { RETRY_SCHEDULE_S } from "./delivery/retry-schedule.ts";
import { createEvents, type Events } from "./events/history.ts";
import { createRecorder, type Recorder } from "./events/record.ts";
import { LIMITS } from "./limits.ts";
import type { Log } from "./log.ts";
import type { Random } from "./random.ts";
import type { Signals } from "./signals.ts";
import type { Database } from "./store/db.ts";
import { Disabling } from "./webhooks/disabling.ts";
import { Health } from "./webhooks/health.ts";
import type { UrlPolicy } from "./webhooks/input.ts";
import { createWebhooks, type Webhooks } from "./webhooks/registry.ts";
import type { Vault } from "./webhooks/secrets.ts";
import type { Webhook } from "./webhooks/webhook.ts";

export interface EngineParts {
  db: Database;
  clock: Clock;
  random: Random;
  log: Log;
  signals: Signals;
  vault: Vault;
  policy: UrlPolicy;
  client: DispatcherParts["client"];
  publicUrl: string;
  /** This server's version. */
  version: string;
  /** Whether this node sends; one that does not leaves all deliveries to others. */
  delivers: boolean;
  /** Seconds before each retry; null: the built-in schedule. */
  schedule_s: readonly number[] | null;
  attempt_ms: number;
  /** Tells a space's owner that a webhook was disabled. */
  onDisabled(space: string, webhook: Webhook): void;
}

/** From an event to the receiver's 200: the parts of the heart, put together. */
export interface Engine {
  recorder: Recorder;
  webhooks: Webhooks;
  health: Health;
  events: Events;
  deliveries: Deliveries;
  replays: Replays;
  /** null on a node that does not send. */
  node: DeliveryNode | null;
  /** Resolves once it takes work. */
  start(): Promise<void>;
  /** Takes no more work; every attempt under way is settled, what was not sent is given back. */
  drain(): Promise<void>;
}

/** Writing the last outcomes and giving back leases, after the last attempt's own time. */
const DRAIN_MARGIN_MS = 2_000;

export function createEngine(parts: EngineParts): Engine {
  const { db, signals, clock, random, log, delivers, attempt_ms, onDisabled } = parts;
  const schedule_s = parts.schedule_s ?? RETRY_SCHEDULE_S;
  const health = new Health({ db, clock, log });
  const onAttempt: DispatcherParts["onAttempt"] = (ended) => {
    health.note(ended);
    disabling.note(ended);
  };
  const node = delivers ? createDeliveryNode({ ...parts, schedule_s, onAttempt }) : null;
  const recorder = createRecorder({ db, clock, random, signals, ...(node ? { courier: node.courier } : {}) });
  const disabling = new Disabling({ db, recorder, clock, log, signals, onDisabled });
  const replays = createReplays({ db, clock, random, log, signals });
  const ends: (() => void)[] = [];
  return {
    recorder,
    health,
    replays,
    node,
    webhooks: createWebhooks({ ...parts, recorder }),
    events: createEvents({ db }),
    deliveries: createDeliveries({ db, signals, retries: schedule_s.length }),
    async start() {
      ends.push(startNotifier({ db, clock, log, signals, delivers }));
      if (node === null) return;
      await node.start();
      replays.start();
      disabling.start();
    },
    async drain() {
      for (const end of ends) end();
      await Promise.all([replays.stop(), disabling.stop()]);
      await node?.drain(Math.min(attempt_ms + DRAIN_MARGIN_MS, LIMITS.SHUTDOWN_MS - DRAIN_MARGIN_MS));
      await health.flush();
    },
  };
}
