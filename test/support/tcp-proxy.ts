import { type AddressInfo, connect, createServer, type NetConnectOpts, type Socket } from "node:net";

/** What to do with bytes on their way to the server. */
export type Verdict = "pass" | "cut before" | "cut after";

export interface TcpProxy {
  port: number;
  /** Ends every connection now, and refuses new ones until `heal`. */
  cut(): void;
  /** Swallows every byte in both directions until `heal`; what is open then stays open. */
  blackHole(): void;
  heal(): void;
  /** Asked for each piece of bytes that a client sends; undefined: all pass. */
  inspect: ((bytes: Buffer) => Verdict) | undefined;
  close(): void;
}

/** A TCP proxy that fails on command: what stands between a service and its database. */
export async function startTcpProxy(target: NetConnectOpts): Promise<TcpProxy> {
  const pairs = new Set<{ client: Socket; upstream: Socket }>();
  let [refusing, swallowing] = [false, false];
  const end = (pair: { client: Socket; upstream: Socket }): void => {
    pairs.delete(pair);
    pair.client.destroy();
    pair.upstream.destroy();
  };

  const server = createServer({ noDelay: true }, (client) => {
    if (refusing) return void client.resetAndDestroy();
    const upstream = connect({ ...target, noDelay: true } as NetConnectOpts);
    const pair = { client, upstream };
    let deaf = false; // its responses no longer reach the client
    pairs.add(pair);
    client.on("data", (bytes) => {
      if (swallowing) return;
      const verdict = proxy.inspect?.(bytes) ?? "pass";
      if (verdict === "cut before") return end(pair);
      if (verdict === "cut after") deaf = true;
      upstream.write(bytes);
    });
    upstream.on("data", (bytes) => {
      if (deaf) return end(pair); // the server has answered, so it has done it; the client will never know
      if (!swallowing) client.write(bytes);
    });
    for (const socket of [client, upstream]) socket.on("error", () => end(pair)).on("close", () => end(pair));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port,
    cut() {
      refusing = true;
      for (const pair of [...pairs]) end(pair);
    },
    blackHole() {
      swallowing = true;
    },
    heal() {
      if (swallowing) for (const pair of [...pairs]) end(pair); // what was swallowed is missing in them
      [refusing, swallowing] = [false, false];
    },
    inspect: undefined,
    close() {
      server.close();
      for (const pair of [...pairs]) end(pair);
    },
  };
  return proxy;
}
