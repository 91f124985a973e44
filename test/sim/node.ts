import { type Cancellations, createCancellations } from "../../server/src/delivery/cancellations.ts";
import { createDeliveries, type Deliveries } from "../../server/src/delivery/deliveries.ts";
import { createDeliveryNode, type DeliveryNode } from "../../server/src/delivery/node.ts";
import { startNotifier } from "../../server/src/delivery/notifier.ts";
import type { Outcome } from "../../server/src/delivery/outcome.ts";
import { createReplays, type Replays } from "../../server/src/delivery/replays.ts";
import { createSendTest, type SendTest } from "../../server/src/delivery/test-event.ts";
import { createRecorder, type Recorder } from "../../server/src/events/record.ts";
import { createLog } from "../../server/src/kernel/log.ts";
import type { Random } from "../../server/src/kernel/random.ts";
import { createSignals } from "../../server/src/kernel/signals.ts";
import { Watchdog } from "../../server/src/kernel/watchdog.ts";
import type { Exchange } from "../../server/src/net/exchange.ts";
import { Disabling } from "../../server/src/webhooks/disabling.ts";
import { createWebhooks, type Webhooks } from "../../server/src/webhooks/registry.ts";
import { createVault } from "../../server/src/webhooks/secrets.ts";
import type { SimDatabase } from "./database.ts";
import { simClient, type Temper, type Watch } from "./receivers.ts";
import { type Process, seeded, type World } from "./world.ts";

/** The parts of one server that are involved in deliveries, constructed as in main.ts. */
export interface Node {
  process: Process;
  db: SimDatabase;
  delivery: DeliveryNode;
  recorder: Recorder;
  webhooks: Webhooks;
  deliveries: Deliveries;
  cancellations: Cancellations;
  replays: Replays;
  sendTest: SendTest;
}

export const ATTEMPT_MS = 5_000;
export const SCHEDULE_S = [1, 2, 4, 8];

const log = createLog("silent", false);
const vaultKey = Buffer.alloc(32, 3);
/** Accepts every URL, because the address policy has its own tests. */
const policy = { checkUrl: (url: string) => ({ ok: true as const, url: new URL(url) }) };

export interface NodeParts {
  world: World;
  process: Process;
  db: SimDatabase;
  /** How a webhook's receiver behaves, or its next response. */
  temperOf(webhook: string): Temper | Partial<Exchange>;
  schedule_s?: readonly number[] | undefined;
  watch: Watch;
  onOutcome(outcome: Outcome): void;
  fraction?: (() => number) | undefined;
}

export function createNode(parts: NodeParts): Node {
  const { world, process, db, temperOf, watch, onOutcome, fraction, schedule_s = SCHEDULE_S } = parts;
  const [clock, signals] = [world.clockOf(process), createSignals()];
  const random: Random = { ...seeded(world.random.integer(2 ** 31)) };
  if (fraction) random.fraction = fraction;
  const vault = createVault([vaultKey], random);
  const ground = { db, clock, random, log, watchdog: new Watchdog(clock), signals, vault };
  const delivery = createDeliveryNode({
    ...ground,
    client: simClient(world, process, temperOf, watch),
    ...{ version: "sim", schedule_s, attempt_ms: ATTEMPT_MS },
    onAttempt: (ended) => {
      disabling.note(ended);
      onOutcome(ended.outcome);
    },
  });
  const recorder = createRecorder({ ...ground, dispatcher: delivery.dispatcher });
  const disabling = new Disabling({ ...ground, recorder });
  startNotifier({ ...ground, delivers: true });
  const webhooks = createWebhooks({ ...ground, policy });
  const deliveries = createDeliveries({ db, signals, retries: SCHEDULE_S.length });
  const cancellations = createCancellations({ db, signals });
  const replays = createReplays(ground);
  const sendTest = createSendTest({ ...ground, recorder, publicUrl: "http://sim.example.com" });
  return { process, db, delivery, recorder, webhooks, deliveries, cancellations, replays, sendTest };
}

/** Starts the node and retries if that fails, as a process supervisor would. */
export function keepStarting(world: World, node: Node): void {
  const again = () => keepStarting(world, node);
  void node.delivery.start().then(
    () => node.replays.start(),
    () => world.clockOf(node.process).after(500, again),
  );
}
