import { Agent } from "undici";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Random } from "../kernel/random.ts";
import type { AddressPolicy } from "./address-policy.ts";
import { type Connector, createConnector } from "./connector.ts";
import type { ErrorWord } from "./error-words.ts";
import type { Exchange } from "./exchange.ts";
import { InFlightRequest, type Origin } from "./in-flight-request.ts";
import type { MachineNames } from "./machine-names.ts";
import { createResolver } from "./resolver.ts";

export type { Exchange } from "./exchange.ts";

export interface Request {
  url: string;
  /** Must not include `host`, `content-length` or `connection`, which the client sets. */
  headers: Record<string, string> | string[];
  /** Sent unchanged; several requests may share one buffer. */
  body: Buffer;
  /** Time limit for the whole exchange, including the response. */
  deadline_ms: number;
  /** Whether to open a new connection for this request. */
  fresh?: boolean;
}

export interface SafeClient {
  /**
   * Sends one POST request. The promise never rejects: it resolves to an `Exchange` for every outcome, by the deadline
   * at the latest. The client does not follow redirects or decompress responses, and it connects only to addresses that
   * the policy allows.
   */
  send(request: Request): Promise<Exchange>;
  /** Number of requests in flight. */
  inFlight(): number;
  /** Resolves once no requests are in flight. Does not prevent new requests. */
  drain(): Promise<void>;
  /** Ends every request in flight with the error word `stopped` and closes all connections. */
  close(): Promise<void>;
}

export interface SafeClientParts {
  policy: AddressPolicy;
  clock: Clock;
  random: Pick<Random, "fraction">;
  /** Time limit for DNS, TCP and TLS combined. */
  connect_ms?: number;
  /** DNS servers as `address:port`. Default: the system's. */
  dnsServers?: readonly string[];
  /** Timeout for the first of two tries of a DNS query; the second try waits twice as long. */
  dnsTry_ms?: number;
  machineNames?: MachineNames;
  /** PEM certificates to trust in addition to the public CAs. */
  extraCa?: readonly string[] | undefined;
  /** PEM certificate and key with which this server identifies itself to receivers that ask for it. */
  clientCertificate?: { cert: string; key: string } | undefined;
}

/** A checked URL: its origin and path, or the exchange that reports why it was rejected. */
type CheckedUrl = { refusal: null; origin: Origin; path: string } | { refusal: Exchange };

/**
 * Creates the client for this server's outbound requests. There is one per process, so that webhooks with the same
 * origin share connections.
 */
export function createSafeClient(parts: SafeClientParts): SafeClient {
  const { policy, clock, connect_ms = LIMITS.ATTEMPT_CONNECT_MS, dnsServers, dnsTry_ms, machineNames } = parts;
  const resolver = createResolver({ policy, clock, servers: dnsServers, try_ms: dnsTry_ms, machineNames });
  const connector = createConnector({ ...parts, resolver, connect_ms });
  const agent = new Agent(agentOptions(connector));
  /** An agent whose connections close after one request, so that each request opens a new one. */
  const freshAgent = new Agent(agentOptions(connector));
  const urls = createUrlChecks(policy);
  const shared = { clock, connector, settled };
  const requests = new Set<InFlightRequest>();
  const drained: (() => void)[] = [];
  let closed = false;

  function send({ url, headers, body, deadline_ms, fresh = false }: Request): Promise<Exchange> {
    const target = urls.find(url);
    if (target.refusal !== null) return Promise.resolve(target.refusal);
    if (closed) return Promise.resolve(unsent("stopped", "STOPPED", null));
    const { origin, path } = target;
    const reset = fresh || connector.openSockets() >= LIMITS.SOCKETS_OPEN_MAX ? true : undefined;
    const options = { origin: origin.name, path, method: "POST" as const, headers, body, ...(reset && { reset }) };
    return new Promise((resolve) => {
      const request = new InFlightRequest(shared, origin, fresh ? freshAgent : agent, options, deadline_ms, resolve);
      requests.add(request);
      if (origin.inFlight < LIMITS.ORIGIN_SOCKETS_MAX) dispatch(request);
      else origin.waiting.push(request);
    });
  }

  function dispatch(request: InFlightRequest): void {
    request.origin.inFlight += 1;
    request.isDispatched = true;
    try {
      request.agent.dispatch(request.options, request);
    } catch (error) {
      request.onResponseError(null, error as Error);
    }
  }

  /**
   * Finishes the request one turn of the event loop later. Until then, undici considers its connection busy, and the
   * next request would open a new one.
   */
  function settled(request: InFlightRequest, exchange: Exchange): void {
    process.nextTick(setImmediate, finish, request, exchange);
  }

  function finish(request: InFlightRequest, exchange: Exchange): void {
    const { origin } = request;
    requests.delete(request);
    request.closeExpiredConnection();
    if (request.isDispatched) origin.inFlight -= 1;
    else origin.waiting.splice(origin.waiting.indexOf(request), 1);
    const next = origin.inFlight < LIMITS.ORIGIN_SOCKETS_MAX ? origin.waiting.shift() : undefined;
    if (next !== undefined) dispatch(next);
    request.resolve(exchange);
    if (requests.size > 0) return;
    for (const resolve of drained.splice(0)) resolve();
  }

  return {
    send,
    inFlight: () => requests.size,
    drain: () => (requests.size === 0 ? Promise.resolve() : new Promise((resolve) => drained.push(resolve))),
    async close() {
      closed = true;
      for (const request of [...requests]) request.stop();
      resolver.close();
      await Promise.all([agent.destroy(), freshAgent.destroy()]);
    },
  };
}

const agentOptions = ({ connect }: Connector): Agent.Options => ({
  connect,
  pipelining: 1,
  maxHeaderSize: LIMITS.RESPONSE_HEADERS_BYTES,
  keepAliveTimeout: LIMITS.SOCKET_IDLE_MS,
  keepAliveMaxTimeout: LIMITS.SOCKET_IDLE_MS * 2,
  keepAliveTimeoutThreshold: 2_000, // closes connections this long before the receiver's announced idle timeout
  headersTimeout: 0, // every byte resets these two timeouts, so each request has a deadline instead
  bodyTimeout: 0,
});

/** Caches checked URLs, because the policy's result for a URL never changes and most URLs are used repeatedly. */
function createUrlChecks(policy: AddressPolicy): { find(url: string): CheckedUrl } {
  const targets = new Map<string, CheckedUrl>();
  const origins = new Map<string, Origin>();
  return {
    find(url) {
      const known = targets.get(url);
      if (known !== undefined) return known;
      if (targets.size >= LIMITS.URLS_CHECKED_MAX) {
        targets.clear();
        origins.clear();
      }
      const target = check(url, policy, origins);
      targets.set(url, target);
      return target;
    },
  };
}

function check(text: string, policy: AddressPolicy, origins: Map<string, Origin>): CheckedUrl {
  const checked = policy.checkUrl(text);
  if (!checked.ok) return { refusal: unsent(checked.word, checked.word.toUpperCase(), checked.reason) };
  const { origin: name, pathname, search } = checked.url;
  const origin = origins.get(name) ?? { name, inFlight: 0, waiting: [] };
  origins.set(name, origin);
  return { refusal: null, origin, path: pathname + search };
}

/** Builds the exchange for a request that was never started. */
function unsent(word: ErrorWord, code: string, note: string | null): Exchange {
  const timings = { dns: null, connect: null, tls: null, first_byte: null, total: 0, reused: false };
  const nothing = { status: null, address: null, certificateUntil: null, response: null };
  return { ...nothing, error: { word, code }, note, timings, wrote: false };
}
