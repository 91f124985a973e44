import { createDeliveries, type Deliveries } from "../../server/src/delivery/deliveries.ts";
import { createDeliveryNode, type DeliveryNode } from "../../server/src/delivery/node.ts";
import { type Clock, systemClock } from "../../server/src/kernel/clock.ts";
import { createLog, type Log } from "../../server/src/kernel/log.ts";
import { systemRandom } from "../../server/src/kernel/random.ts";
import { createSignals } from "../../server/src/kernel/signals.ts";
import { Watchdog } from "../../server/src/kernel/watchdog.ts";
import type { Exchange } from "../../server/src/net/exchange.ts";
import type { Request, SafeClient } from "../../server/src/net/safe-client.ts";
import type { Database } from "../../server/src/store/db.ts";
import type { EndedAttempt } from "../../server/src/webhooks/health.ts";
import { createVault } from "../../server/src/webhooks/secrets.ts";
import { type EngineParts, engineParts } from "./engine.ts";

/** A request as passed to the receiver function, which replaces the network. */
export interface Seen {
  at_ms: number;
  webhook: string;
  url: string;
  headers: Record<string, string>;
  body: { id: string; type: string; data: { id: string } };
  attempt: number;
  sequence: number;
}

export type Receiver = (seen: Seen) => Partial<Exchange> | Promise<Partial<Exchange>>;

export interface TestNode extends EngineParts {
  node: DeliveryNode;
  deliveries: Deliveries;
  seen: Seen[];
  stop(): Promise<void>;
}

/** Builds a response with this status and these headers. */
export function response(status: number, headers: [string, string][] = []): Partial<Exchange> {
  const error = status >= 200 && status < 300 ? null : { word: "status" as const, code: `HTTP_${status}` };
  return { status, error, response: { headers, body: Buffer.from("ok"), bytes: 2 } };
}

export const noResponse = (word: NonNullable<Exchange["error"]>["word"] = "timeout"): Partial<Exchange> => ({
  error: { word, code: word.toUpperCase() },
});

const NOTHING: Exchange = {
  status: null,
  error: null,
  note: null,
  timings: { dns: null, connect: null, tls: null, first_byte: null, total: 1, reused: false },
  address: null,
  certificateUntil: null,
  response: null,
  wrote: true,
};

interface TestNodeOptions {
  schedule_s?: number[];
  attempt_ms?: number;
  log?: Log;
  clock?: Clock;
  /** Called after every attempt. In a real server, this updates webhook health and disables failing webhooks. */
  onAttempt?: (ended: EndedAttempt) => void;
}

/** Starts a delivery node on a real database. `receiver` is a function that replaces the network, or a real client. */
export async function testNode(
  db: Database,
  receiver: Receiver | SafeClient,
  {
    schedule_s = [0, 0, 0],
    attempt_ms = 15_000,
    log = createLog("silent", false),
    clock = systemClock,
    onAttempt = () => {},
  }: TestNodeOptions = {},
): Promise<TestNode> {
  const seen: Seen[] = [];
  const client = typeof receiver === "function" ? clientOf(receiver, seen) : receiver;
  const signals = createSignals();
  const vault = createVault([Buffer.alloc(32, 7)], systemRandom);
  const common = { db, clock, random: systemRandom, signals, vault, log, watchdog: new Watchdog(clock) };
  const node = createDeliveryNode({ ...common, client, version: "0", schedule_s, attempt_ms, onAttempt });
  await node.start();
  const parts = await engineParts(db, node.dispatcher, signals);
  const deliveries = createDeliveries({ db, signals, retries: schedule_s.length });
  return { ...parts, node, deliveries, seen, stop: () => node.drain(5_000) };
}

function clientOf(receiver: Receiver, seen: Seen[]) {
  let inFlight = 0;
  return {
    async send({ url, headers, body }: Request): Promise<Exchange> {
      const request = seenOf(url, headers as Record<string, string>, body);
      seen.push(request);
      inFlight += 1;
      try {
        return { ...NOTHING, ...(await receiver(request)) };
      } finally {
        inFlight -= 1;
      }
    },
    async drain() {
      while (inFlight > 0) await new Promise((resolve) => setImmediate(resolve));
    },
    async close() {},
  };
}

function seenOf(url: string, headers: Record<string, string>, body: Buffer): Seen {
  const [attempt, sequence] = [Number(headers["Mave-Attempt"]), Number(headers["Mave-Sequence"])];
  const webhook = new URL(url).pathname.slice(1);
  return { at_ms: Date.now(), webhook, url, headers, body: JSON.parse(body.toString()), attempt, sequence };
}
