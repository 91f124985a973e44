import { once } from "node:events";
import { createServer } from "node:http";
import type { Registry } from "prom-client";
import type { Log } from "../kernel/log.ts";

/**
 * Serves /metrics without a token on this machine's loopback interface, for a collector on the same machine. The main
 * port cannot do that, because a proxy on this machine could forward requests from other machines to it.
 */
export interface MetricsServer {
  /** @throws the system's error if the port is in use */
  listen(port: number): Promise<void>;
  close(): Promise<void>;
}

export function createMetricsServer(registry: Registry, log: Log): MetricsServer {
  const server = createServer((request, response) => {
    if (request.method !== "GET" || request.url !== "/metrics") return void response.writeHead(404).end();
    registry.metrics().then(
      (text) => response.writeHead(200, { "content-type": registry.contentType }).end(text),
      (err: unknown) => {
        log.error({ err }, "Failed to collect metrics");
        response.writeHead(500).end();
      },
    );
  });
  return {
    async listen(port) {
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
    },
    async close() {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
