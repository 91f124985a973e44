import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/**
 * A receiver in this process that accepts every request.
 * @param hosts number of additional loopback addresses; webhooks on the same address share connections
 * @param hangs returns whether requests for the path never get a response
 */
export async function startSink(
  onBody: (body: Buffer, headers: IncomingHttpHeaders, path: string) => unknown,
  { hosts = 0, hangs = () => false }: { hosts?: number; hangs?: (path: string) => boolean } = {},
) {
  const hung = new Set<ServerResponse>();
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      onBody(Buffer.concat(chunks), request.headers, request.url!);
      if (hangs(request.url!)) return void hung.add(response);
      response.writeHead(204).end();
    });
  };
  const first = await listen(serve, "127.0.0.1", 0);
  const { port } = first.address() as AddressInfo;
  const more = await Promise.all(Array.from({ length: hosts }, (_, host) => listen(serve, addressOf(host), port)));
  const servers = [first, ...more];
  return {
    url: `http://127.0.0.1:${port}/webhooks`,
    /** Returns the URL of an additional address. @param host the address's index, starting at 0 */
    urlOf: (host: number) => `http://${addressOf(host)}:${port}/${host}`,
    /** Responds to all hanging requests. */
    release() {
      for (const response of hung) response.writeHead(204).end();
      hung.clear();
    },
    end() {
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}

async function listen(serve: RequestListener, address: string, port: number): Promise<Server> {
  const server = createServer({ keepAliveTimeout: 60_000 }, serve).listen(port, address);
  await once(server, "listening");
  return server;
}

/** Returns an additional loopback address. @param host the address's index, starting at 0 */
export const addressOf = (host: number): string => `127.1.${host >> 8}.${host & 255}`;
