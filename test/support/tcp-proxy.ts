import { type AddressInfo, connect, createServer, type NetConnectOpts, type Socket } from "node:net";

/** What to do with bytes from a client. */
export type ProxyAction = "pass" | "cut before" | "cut after";

export interface TcpProxy {
  port: number;
  /** Closes all connections and refuses new ones until `heal`. */
  cut(): void;
  /**
   * Drops every byte in both directions without closing a connection, like a host that vanishes. After `heal`, new
   * connections work, but existing ones remain open and silent.
   */
  blackHole(): void;
  heal(): void;
  /** Called with each chunk from a client to decide what to do with it. If undefined, all chunks pass. */
  inspect: ((bytes: Buffer) => ProxyAction) | undefined;
  close(): void;
}

/** A client's connection and the upstream connection that carries its bytes. */
interface Pair {
  client: Socket;
  upstream: Socket;
  isSilent: boolean;
}

/** Starts a TCP proxy that fails on command, for example between a server and its database. */
export async function startTcpProxy(target: NetConnectOpts): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let [isRefusing, isDropping] = [false, false];
  const end = ({ client, upstream }: Pair): void => {
    client.destroy();
    upstream.destroy();
  };
  /** Called when one side has closed. Closes the other side too, unless the proxy is dropping bytes. */
  const closed = (pair: Pair): void => {
    if (!pair.isSilent) end(pair);
  };

  const server = createServer({ noDelay: true }, (client) => {
    if (isRefusing) return void client.resetAndDestroy();
    const upstream = connect({ ...target, noDelay: true } as NetConnectOpts);
    const pair = { client, upstream, isSilent: isDropping };
    let dropsResponse = false;
    pairs.add(pair);
    client.on("data", (bytes) => {
      if (pair.isSilent) return;
      const action = proxy.inspect?.(bytes) ?? "pass";
      if (action === "cut before") return end(pair);
      if (action === "cut after") dropsResponse = true;
      upstream.write(bytes);
    });
    upstream.on("data", (bytes) => {
      if (dropsResponse) return end(pair); // the upstream has executed the request, but the client gets no response
      if (!pair.isSilent) client.write(bytes);
    });
    for (const socket of [client, upstream])
      socket
        .on("error", () => {})
        .on("close", () => {
          closed(pair);
          if (client.destroyed && upstream.destroyed) pairs.delete(pair);
        });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port,
    cut() {
      isRefusing = true;
      for (const pair of pairs) end(pair);
    },
    blackHole() {
      isDropping = true;
      for (const pair of pairs) pair.isSilent = true;
    },
    heal() {
      [isRefusing, isDropping] = [false, false];
    },
    inspect: undefined,
    close() {
      server.close();
      for (const pair of pairs) end(pair);
    },
  };
  return proxy;
}
