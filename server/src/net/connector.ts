import { X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { createSecureContext, rootCertificates, type TLSSocket } from "node:tls";
import { buildConnector } from "undici";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Random } from "../kernel/random.ts";
import { type AddressPolicy, literalAddress } from "./address-policy.ts";
import { ContinueFilter } from "./continue-filter.ts";
import { NetworkError } from "./error-words.ts";
import type { Resolver } from "./resolver.ts";

/** A connection's details. Durations are in ms, or null if the phase was skipped or not reached. */
export interface Connection {
  dns: number | null;
  connect: number | null;
  tls: number | null;
  /** The peer's address, or the address that could not be reached. */
  address: string | null;
  /** The peer's certificate, even if it was rejected; null for plain HTTP. */
  certificate: X509Certificate | null;
  /** Whether a request has already been sent on this connection. */
  used: boolean;
  /** Whether a request is in flight on this connection. */
  busy: boolean;
  /** Whether the connection is too old for another request. */
  expired: boolean;
  /** Null until the connection is open. */
  filter: ContinueFilter | null;
}

export interface Connector {
  connect: buildConnector.connector;
  /** Looks up the connection for a socket, or for the error that prevented the socket from opening. */
  connectionOf(subject: object): Connection | undefined;
  /** Closes the connection if it has expired and no request is in flight on it. */
  closeIfExpired(socket: Socket): void;
  /** Number of sockets that are connecting or connected. */
  openSockets(): number;
}

export interface ConnectorParts {
  policy: AddressPolicy;
  resolver: Resolver;
  clock: Clock;
  random: Pick<Random, "fraction">;
  /** Time limit for DNS, TCP and TLS combined. */
  connect_ms: number;
  /** PEM certificates to trust in addition to the public CAs. */
  extraCa?: readonly string[] | undefined;
  /** PEM certificate and key with which this server identifies itself to receivers that ask for it. */
  clientCertificate?: { cert: string; key: string } | undefined;
}

/**
 * Opens connections and enforces the address policy on each of them. Hosts that are IP addresses are checked here,
 * because sockets do not look them up. The resolver checks the addresses that names resolve to, and the connected peer
 * is checked again before any byte of the request is sent.
 */
export function createConnector(parts: ConnectorParts): Connector {
  const connections = new WeakMap<object, Connection>();
  const dial = buildConnector({
    timeout: 0, // undici's timer is coarse; `limitTime` covers DNS, TCP and TLS combined
    allowH2: false,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: LIMITS.CONNECT_ADDRESS_MS, // Node's default of 250 ms fails for distant receivers
    lookup: parts.resolver.lookup,
    secureContext: secureContext(parts),
  }) as (options: buildConnector.Options, callback: buildConnector.Callback) => Socket;
  let open = 0;

  function closeIfExpired(socket: Socket): void {
    const connection = connections.get(socket);
    if (connection?.expired && !connection.busy) socket.destroy();
  }

  return {
    connectionOf: (subject) => connections.get(subject),
    closeIfExpired,
    openSockets: () => open,
    connect(options, callback) {
      const refusal = checkLiteral(options.hostname, parts.policy);
      if (refusal !== null) return process.nextTick(callback, refusal, null);
      const connection = newConnection();
      const socket = dial(options, (error, connected) => {
        cancelTimer();
        const cause = error ?? connected?.errored ?? null;
        if (cause === null) {
          connection.filter = new ContinueFilter(socket);
          limitAge(socket, options, parts, () => {
            connection.expired = true;
            closeIfExpired(socket);
          });
          return callback(null, connected as Socket);
        }
        connection.address ??= (cause as { address?: string }).address ?? null;
        connections.set(cause, connection);
        callback(cause, null);
      });
      const cancelTimer = limitTime(socket, options, connection, parts);
      connections.set(socket, connection);
      watch(socket, options, connection, parts);
      open += 1;
      socket.once("close", () => {
        open -= 1;
      });
    },
  };
}

const newConnection = (): Connection => ({
  dns: null,
  connect: null,
  tls: null,
  address: null,
  certificate: null,
  used: false,
  busy: false,
  expired: false,
  filter: null,
});

/** Built once and shared by all connections. Without `ca`, Node trusts its own CAs, including NODE_EXTRA_CA_CERTS. */
function secureContext({ extraCa, clientCertificate }: Pick<ConnectorParts, "extraCa" | "clientCertificate">) {
  const ca = extraCa && [...rootCertificates, ...extraCa];
  return createSecureContext({ ...(ca && { ca }), ...clientCertificate });
}

function checkLiteral(hostname: string, policy: AddressPolicy): NetworkError | null {
  const literal = literalAddress(hostname);
  const check = literal === null ? undefined : policy.checkAddress(literal);
  return check?.ok === false ? new NetworkError(check.word, "ADDRESS_BLOCKED", check.reason) : null;
}

function limitTime(
  socket: Socket,
  { hostname }: buildConnector.Options,
  connection: Connection,
  { clock, connect_ms }: ConnectorParts,
): () => void {
  return clock.after(connect_ms, () => {
    const resolved = connection.dns !== null || literalAddress(hostname) !== null;
    if (!resolved) return socket.destroy(new NetworkError("dns_timeout", "DNS"));
    return socket.destroy(new NetworkError("connect_timeout", connection.connect === null ? "TCP" : "TLS"));
  });
}

/**
 * Calls `expire` once the connection reaches its maximum age, which is the TTL of its host's DNS record or
 * CONNECTION_AGE_MS, whichever is longer, less some jitter. Otherwise, a receiver that moves would keep getting
 * requests at its old address while that address still responds.
 */
function limitAge(
  socket: Socket,
  { hostname }: buildConnector.Options,
  { clock, random, resolver }: ConnectorParts,
  expire: () => void,
): void {
  const age_ms = Math.max(LIMITS.CONNECTION_AGE_MS, resolver.ttl_ms(hostname));
  socket.once("close", clock.after(age_ms * (1 - AGE_JITTER * random.fraction()), expire));
}

/** The fraction by which the maximum age varies, so that connections opened together do not expire together. */
const AGE_JITTER = 0.2;

/** Times each phase, and checks the peer's address before undici or TLS sees the connection. */
function watch(
  socket: Socket,
  { hostname, protocol }: buildConnector.Options,
  connection: Connection,
  { clock, policy }: ConnectorParts,
): void {
  let since = clock.monotonic();
  const lap = (): number => {
    const previous = since;
    since = clock.monotonic();
    return since - previous;
  };
  socket.once("lookup", (_error, address: string | undefined) => {
    connection.dns = lap();
    connection.address = address ?? null;
  });
  socket.prependOnceListener("connect", () => {
    connection.connect = lap();
    connection.address = socket.remoteAddress ?? null;
    const check = policy.checkAddress(socket.remoteAddress ?? "", hostname);
    if (!check.ok) socket.destroy(new NetworkError(check.word, "ADDRESS_BLOCKED", check.reason));
  });
  if (protocol !== "https:") return;
  // Node verifies the certificate in a listener for this event, and destroys the socket if it is invalid.
  socket.prependOnceListener("secure", () => {
    // Not getPeerX509Certificate: called this early, it makes Node's own verification fail.
    const { raw } = (socket as TLSSocket).getPeerCertificate();
    connection.certificate = raw === undefined ? null : new X509Certificate(raw);
  });
  socket.prependOnceListener("secureConnect", () => {
    connection.tls = lap();
  });
}
