import type { Exchange } from "../../server/src/net/exchange.ts";
import type { Request } from "../../server/src/net/safe-client.ts";
import type { Process, World } from "./world.ts";

/** A request as its receiver got it. */
export interface Arrival {
  webhook: string;
  video: string;
  sequence: number;
  attempt: number;
}

export type Temper = "healthy" | "failing" | "mixed" | "slow" | "overloaded" | "resetting";
export const TEMPERS: readonly Temper[] = ["healthy", "failing", "mixed", "slow", "overloaded", "resetting"];

const NOTHING: Exchange = {
  status: null,
  error: null,
  note: null,
  timings: { dns: null, connect: null, tls: null, first_byte: null, total: 1, reused: false },
  address: null,
  certificateUntil: null,
  answer: null,
  wrote: true,
};

/** Checks before a request leaves, and hears of what arrives. */
export interface Watch {
  sending(process: Process, arrival: Arrival): void;
  sent(process: Process, arrival: Arrival): void;
  succeeded(arrival: Arrival): void;
}

/** One process's network: every receiver has a temper of its own, which may change. */
export function simClient(world: World, process: Process, temperOf: (webhook: string) => Temper, watch: Watch) {
  const clock = world.clockOf(process);
  let underWay = 0;
  return {
    send({ url, headers, body, deadline_ms }: Request): Promise<Exchange> {
      const arrival = arrivalOf(url, headers as Record<string, string>, body);
      watch.sending(process, arrival);
      underWay += 1;
      const { exchange, took_ms } = answerOf(world, temperOf(arrival.webhook), deadline_ms);
      // It succeeded for its receiver, whether or not anybody lives to hear of it.
      if (exchange.error === null) watch.succeeded(arrival);
      return new Promise((resolve) =>
        clock.after(took_ms, () => {
          underWay -= 1;
          watch.sent(process, arrival);
          resolve({ ...NOTHING, ...exchange, timings: { ...NOTHING.timings, ...exchange.timings, total: took_ms } });
        }),
      );
    },
    async drain() {
      while (underWay > 0) await new Promise<void>((resolve) => clock.after(10, resolve));
    },
    async close() {},
  };
}

function arrivalOf(url: string, headers: Record<string, string>, body: Buffer): Arrival {
  const { data } = JSON.parse(body.toString()) as { data: { id: string } };
  const webhook = new URL(url).pathname.slice(1);
  return {
    webhook,
    video: data.id,
    sequence: Number(headers["Mave-Sequence"]),
    attempt: Number(headers["Mave-Attempt"]),
  };
}

function answerOf(
  { random }: World,
  temper: Temper,
  deadline_ms: number,
): { exchange: Partial<Exchange>; took_ms: number } {
  const quick = 1 + random.integer(50);
  const ok = { exchange: status(200), took_ms: quick };
  const bad = { exchange: status(500), took_ms: quick };
  if (temper === "healthy") return ok;
  if (temper === "failing") return bad;
  if (temper === "mixed") return random.chance(0.5) ? ok : bad;
  if (temper === "slow") {
    const took_ms = random.integer(deadline_ms * 1.3);
    return took_ms < deadline_ms
      ? { ...ok, took_ms }
      : { exchange: { error: { word: "timeout", code: "TIMEOUT" } }, took_ms: deadline_ms };
  }
  if (temper === "overloaded")
    return random.chance(0.5) ? { exchange: status(429, [["Retry-After", "3"]]), took_ms: quick } : ok;
  const timings = { ...NOTHING.timings, reused: true };
  return random.chance(0.5)
    ? { exchange: { error: { word: "connection_reset", code: "ECONNRESET" }, timings }, took_ms: quick }
    : ok;
}

function status(code: number, headers: [string, string][] = []): Partial<Exchange> {
  const error = code < 300 ? null : { word: "status" as const, code: `HTTP_${code}` };
  return { status: code, error, answer: { headers, body: Buffer.alloc(0), bytes: 0, cut: false } };
}
