import { Agent } from "undici";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { AddressPolicy } from "./address-policy.ts";
import { createConnector } from "./connector.ts";
import type { ErrorWord } from "./error-words.ts";
import type { Exchange } from "./exchange.ts";
import { createResolver } from "./resolver.ts";
import { type Origin, Sending } from "./sending.ts";

export type { Exchange } from "./exchange.ts";

export interface Request {
  url: string;
  /** Names and values; `host`, `content-length` and `connection` are the client's own. */
  headers: Record<string, string> | string[];
  /** Sent as it is; many requests may share one. */
  body: Buffer;
  /** For the whole exchange, response included. */
  deadline_ms: number;
}

export interface SafeClient {
  /**
   * Makes one POST request. Never rejects: whatever happens is an `Exchange`, at the latest when the deadline has passed.
   * It follows no redirect, decompresses nothing, and reaches only addresses that the policy allows.
   */
  send(request: Request): Promise<Exchange>;
  /** Requests under way. */
  inFlight(): number;
  /** Resolves when no request is under way; new ones may still be made. */
  drain(): Promise<void>;
  /** Ends every request under way with the word `stopped`, and closes every connection. */
  close(): Promise<void>;
}

export interface SafeClientParts {
  policy: AddressPolicy;
  clock: Clock;
  /** For DNS, TCP and TLS together. */
  connect_ms?: number;
  /** `address:port` of DNS servers instead of the system's. */
  dnsServers?: readonly string[];
  /** Each of two tries of a DNS question. */
  dnsTry_ms?: number;
  /** Certificates in PEM form that are trusted besides the public authorities. */
  extraCa?: readonly string[];
}

/** What is known of a URL: where it leads, or why it may not be used. */
type Target = { refusal: null; origin: Origin; path: string } | { refusal: Exchange };

/** The only way out of this server. One per process: it shares connections between all webhooks of an origin. */
export function createSafeClient(parts: SafeClientParts): SafeClient {
  const { policy, clock, connect_ms = LIMITS.ATTEMPT_CONNECT_MS, dnsServers, dnsTry_ms, extraCa } = parts;
  const resolver = createResolver({ policy, clock, servers: dnsServers, try_ms: dnsTry_ms });
  const connector = createConnector({ policy, resolver, clock, connect_ms, extraCa });
  const agent = new Agent({
    connect: connector.connect,
    pipelining: 1,
    maxHeaderSize: LIMITS.RESPONSE_HEADERS_BYTES,
    keepAliveTimeout: LIMITS.SOCKET_IDLE_MS,
    keepAliveMaxTimeout: LIMITS.SOCKET_IDLE_MS * 2,
    keepAliveTimeoutThreshold: 2_000, // a receiver's own announced idle time, less this
    headersTimeout: 0, // both are refreshed by every byte; a sending has its own deadline
    bodyTimeout: 0,
  });
  const targets = createTargets(policy);
  const shared = { clock, connector, settled };
  const sendings = new Set<Sending>();
  const idle: (() => void)[] = [];
  let closed = false;

  function send({ url, headers, body, deadline_ms }: Request): Promise<Exchange> {
    const target = targets.find(url);
    if (target.refusal !== null) return Promise.resolve(target.refusal);
    if (closed) return Promise.resolve(unsent("stopped", "STOPPED", null));
    const { origin, path } = target;
    const reset = connector.open() >= LIMITS.SOCKETS_OPEN_MAX ? true : undefined;
    const options = { origin: origin.name, path, method: "POST" as const, headers, body, ...(reset && { reset }) };
    return new Promise((resolve) => {
      const sending = new Sending(shared, origin, options, deadline_ms, resolve);
      sendings.add(sending);
      if (origin.inFlight < LIMITS.ORIGIN_SOCKETS_MAX) dispatch(sending);
      else origin.waiting.push(sending);
    });
  }

  function dispatch(sending: Sending): void {
    sending.origin.inFlight += 1;
    sending.dispatched = true;
    try {
      agent.dispatch(sending.options, sending);
    } catch (error) {
      sending.onResponseError(null, error as Error);
    }
  }

  /** Told a turn later: until then undici takes the connection for busy, and the next request would open another one. */
  function settled(sending: Sending, exchange: Exchange): void {
    process.nextTick(setImmediate, finish, sending, exchange);
  }

  function finish(sending: Sending, exchange: Exchange): void {
    const { origin } = sending;
    sendings.delete(sending);
    if (sending.dispatched) origin.inFlight -= 1;
    else origin.waiting.splice(origin.waiting.indexOf(sending), 1);
    const next = origin.inFlight < LIMITS.ORIGIN_SOCKETS_MAX ? origin.waiting.shift() : undefined;
    if (next !== undefined) dispatch(next);
    sending.resolve(exchange);
    if (sendings.size > 0) return;
    for (const wake of idle.splice(0)) wake();
  }

  return {
    send,
    inFlight: () => sendings.size,
    drain: () => (sendings.size === 0 ? Promise.resolve() : new Promise((resolve) => idle.push(resolve))),
    async close() {
      closed = true;
      for (const sending of [...sendings]) sending.stop();
      resolver.close();
      await agent.destroy();
    },
  };
}

/** Verdicts by URL: the policy's response to a URL never changes, and most URLs come again and again. */
function createTargets(policy: AddressPolicy): { find(url: string): Target } {
  const targets = new Map<string, Target>();
  const origins = new Map<string, Origin>();
  return {
    find(url) {
      const known = targets.get(url);
      if (known !== undefined) return known;
      if (targets.size >= LIMITS.URLS_CHECKED_MAX) {
        targets.clear();
        origins.clear();
      }
      const target = judge(url, policy, origins);
      targets.set(url, target);
      return target;
    },
  };
}

function judge(text: string, policy: AddressPolicy, origins: Map<string, Origin>): Target {
  const verdict = policy.checkUrl(text);
  if (!verdict.ok) return { refusal: unsent(verdict.word, verdict.word.toUpperCase(), verdict.reason) };
  const { origin: name, pathname, search } = verdict.url;
  const origin = origins.get(name) ?? { name, inFlight: 0, waiting: [] };
  origins.set(name, origin);
  return { refusal: null, origin, path: pathname + search };
}

/** What came of a request that never began. */
function unsent(word: ErrorWord, code: string, note: string | null): Exchange {
  const timings = { dns: null, connect: null, tls: null, first_byte: null, total: 0, reused: false };
  const nothing = { status: null, address: null, certificateUntil: null, response: null };
  return { ...nothing, error: { word, code }, note, timings, wrote: false };
}
