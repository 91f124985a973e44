import { longUuid } from "../../server/src/kernel/short-uuid.ts";
import type { Exchange } from "../../server/src/net/exchange.ts";
import type { Request } from "../../server/src/net/safe-client.ts";
import type { Process, World } from "./world.ts";

/** A request as it arrives at the receiver. */
export interface Arrival {
  /** `webhook` and `event` are UUIDs. If the event has no video, `video` is the event's id, as in the queue row. */
  webhook: string;
  video: string;
  event: string;
  sequence: number;
  attempt: number;
  url: string;
}

export const TEMPERS = [
  ...["healthy", "failing", "mixed", "slow", "hanging", "overloaded", "unavailable", "resetting", "flooded", "gone"],
] as const;
export type Temper = (typeof TEMPERS)[number];

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

/** Called before each request, after each response, and whenever a receiver accepts an event. */
export interface Watch {
  sending(process: Process, arrival: Arrival): void;
  sent(process: Process, arrival: Arrival): void;
  succeeded(arrival: Arrival): void;
}

/** The network as seen by one process. How a receiver responds depends on its temper, which may change during a run. */
export function simClient(
  world: World,
  process: Process,
  temperOf: (webhook: string) => Temper | Partial<Exchange>,
  watch: Watch,
) {
  const clock = world.clockOf(process);
  let inFlight = 0;
  return {
    send({ url, headers, body, deadline_ms }: Request): Promise<Exchange> {
      const arrival = arrivalOf(url, headers as Record<string, string>, body);
      watch.sending(process, arrival);
      inFlight += 1;
      const { exchange, duration_ms } = reactionOf(world, temperOf(arrival.webhook), deadline_ms);
      // The receiver has the event, even if this process dies before the response.
      if (exchange.error === null) watch.succeeded(arrival);
      return new Promise((resolve) =>
        clock.after(duration_ms, () => {
          inFlight -= 1;
          watch.sent(process, arrival);
          resolve({
            ...NOTHING,
            ...exchange,
            timings: { ...NOTHING.timings, ...exchange.timings, total: duration_ms },
          });
        }),
      );
    },
    async drain() {
      while (inFlight > 0) await new Promise<void>((resolve) => clock.after(10, resolve));
    },
    async close() {},
  };
}

function arrivalOf(url: string, headers: Record<string, string>, body: Buffer): Arrival {
  const { id, data } = JSON.parse(body.toString()) as { id: string; data: { id: string } };
  const [event, sequence] = [longUuid(id)!, Number(headers["Mave-Sequence"])];
  return {
    webhook: longUuid(new URL(url).pathname.split("/")[1]!)!,
    video: sequence > 0 ? data.id : event,
    event,
    sequence,
    attempt: Number(headers["Mave-Attempt"]),
    url,
  };
}

interface Reaction {
  exchange: Partial<Exchange>;
  duration_ms: number;
}

const TIMEOUT = { error: { word: "timeout", code: "TIMEOUT" } } as const;
const RESET = {
  error: { word: "connection_reset", code: "ECONNRESET" },
  timings: { ...NOTHING.timings, reused: true },
} as const;

function reactionOf({ random, now_ms }: World, temper: Temper | Partial<Exchange>, deadline_ms: number): Reaction {
  const quick = 1 + random.integer(50);
  if (typeof temper !== "string") return { exchange: temper, duration_ms: quick };
  const ok = { exchange: status(200), duration_ms: quick };
  const now = (exchange: Partial<Exchange>): Reaction => ({ exchange, duration_ms: quick });
  const half = (exchange: Partial<Exchange>): Reaction => (random.chance(0.5) ? now(exchange) : ok);
  const date = new Date(now_ms + random.integer(9_000)).toUTCString();
  const late_ms = random.integer(deadline_ms * 1.3);
  const reactions: Record<Temper, () => Reaction> = {
    healthy: () => ok,
    failing: () => now(status(500)),
    mixed: () => half(status(500)),
    slow: () =>
      late_ms < deadline_ms ? { ...ok, duration_ms: late_ms } : { exchange: TIMEOUT, duration_ms: deadline_ms },
    hanging: () => ({ exchange: TIMEOUT, duration_ms: deadline_ms }),
    overloaded: () => half(status(429, [["Retry-After", "3"]])),
    unavailable: () => half(status(503, [["Retry-After", date]])),
    resetting: () => half(RESET),
    flooded: () => half(status(429, [["Retry-After", "10"]])), // longer than a webhook's queue stays in memory
    gone: () => (random.chance(0.1) ? now(status(410)) : ok),
  };
  return reactions[temper]();
}

/** A response with this status and these headers. */
export function status(code: number, headers: [string, string][] = []): Partial<Exchange> {
  const error = code < 300 ? null : { word: "status" as const, code: `HTTP_${code}` };
  return { status: code, error, response: { headers, body: Buffer.alloc(0), bytes: 0 } };
}
