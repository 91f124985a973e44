import type { Socket } from "node:net";
import { createSecureContext, rootCertificates, type TLSSocket } from "node:tls";
import { buildConnector } from "undici";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import { type AddressPolicy, literalAddress } from "./address-policy.ts";
import { NetFault } from "./error-words.ts";
import type { Resolver } from "./resolver.ts";

/** How a connection came about. Durations in ms; null: that phase was not needed, or not reached. */
export interface Connection {
  dns: number | null;
  connect: number | null;
  tls: number | null;
  /** The peer's address, or the one that failed. */
  address: string | null;
  certificateUntil: Date | null;
  /** A request has been sent on it before. */
  used: boolean;
}

export interface Connector {
  connect: buildConnector.connector;
  /** The connection of a socket, or of the error that its making ended with. */
  connectionOf(subject: object): Connection | undefined;
  /** Sockets that are connecting or connected. */
  open(): number;
}

export interface ConnectorParts {
  policy: AddressPolicy;
  resolver: Resolver;
  clock: Clock;
  connect_ms: number;
  /** Certificates in PEM form that are trusted besides the public authorities. */
  extraCa?: readonly string[] | undefined;
}

/**
 * Makes the connections, and is where the address policy cannot be gone around: a literal host is judged here because
 * sockets never look it up, a name's answers in the resolver, and the peer once more on the connected socket, before a
 * byte of the request leaves.
 */
export function createConnector(parts: ConnectorParts): Connector {
  const connections = new WeakMap<object, Connection>();
  const dial = buildConnector({
    timeout: 0, // undici's clock is coarse; ours covers DNS, TCP and TLS together
    allowH2: false,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: LIMITS.CONNECT_ADDRESS_MS, // Node's own 250 ms gives up on distant receivers
    lookup: parts.resolver.lookup,
    secureContext: secureContext(parts.extraCa),
  }) as (options: buildConnector.Options, callback: buildConnector.Callback) => Socket;
  let open = 0;

  return {
    connectionOf: (subject) => connections.get(subject),
    open: () => open,
    connect(options, callback) {
      const fault = literalFault(options.hostname, parts.policy);
      if (fault !== null) return process.nextTick(callback, fault, null);
      const connection = newConnection();
      const socket = dial(options, (error, connected) => {
        cancel();
        const fault = error ?? connected?.errored ?? null;
        if (fault === null) return callback(null, connected as Socket);
        connection.address ??= (fault as { address?: string }).address ?? null;
        connections.set(fault, connection);
        callback(fault, null);
      });
      const cancel = limitTime(socket, options, connection, parts);
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
  certificateUntil: null,
  used: false,
});

/** One for all connections: each would else be built anew. Undefined `ca` means Node's own, NODE_EXTRA_CA_CERTS included. */
function secureContext(extraCa: readonly string[] | undefined) {
  return createSecureContext(extraCa === undefined ? {} : { ca: [...rootCertificates, ...extraCa] });
}

function literalFault(hostname: string, policy: AddressPolicy): NetFault | null {
  const literal = literalAddress(hostname);
  const verdict = literal === null ? undefined : policy.checkAddress(literal);
  return verdict?.ok === false ? new NetFault(verdict.word, "ADDRESS_BLOCKED", verdict.reason) : null;
}

function limitTime(
  socket: Socket,
  { hostname }: buildConnector.Options,
  connection: Connection,
  { clock, connect_ms }: ConnectorParts,
): () => void {
  return clock.after(connect_ms, () => {
    const resolved = connection.dns !== null || literalAddress(hostname) !== null;
    if (!resolved) return socket.destroy(new NetFault("dns_timeout", "DNS"));
    return socket.destroy(new NetFault("connect_timeout", connection.connect === null ? "TCP" : "TLS"));
  });
}

/** Stamps the phases, and judges the peer before undici or TLS hear of the connection. */
function watch(
  socket: Socket,
  { hostname, protocol }: buildConnector.Options,
  connection: Connection,
  { clock, policy }: ConnectorParts,
): void {
  let since = clock.monotonic();
  const lap = (): number => {
    const began = since;
    since = clock.monotonic();
    return since - began;
  };
  socket.once("lookup", (_error, address: string | undefined) => {
    connection.dns = lap();
    connection.address = address ?? null;
  });
  socket.prependOnceListener("connect", () => {
    connection.connect = lap();
    connection.address = socket.remoteAddress ?? null;
    const verdict = policy.checkAddress(socket.remoteAddress ?? "", hostname);
    if (!verdict.ok) socket.destroy(new NetFault(verdict.word, "ADDRESS_BLOCKED", verdict.reason));
  });
  if (protocol !== "https:") return;
  socket.prependOnceListener("secureConnect", () => {
    connection.tls = lap();
    connection.certificateUntil = (socket as TLSSocket).getPeerX509Certificate()?.validToDate ?? null;
  });
}
