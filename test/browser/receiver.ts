import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll } from "vitest";
import type { Certificate } from "../support/certificates.ts";

export interface Received {
  headers: Record<string, string>;
  body: string;
  event: { id: string; type: string; data: { id: string } };
}

export interface Receiver {
  url: string;
  received: Received[];
  /** The response to every request from now on. */
  response: { status: number; body: string; headers: Record<string, string> };
}

/**
 * Starts a receiver that records its requests and sends the configured response. It is closed when the test file ends.
 */
export async function startReceiver(): Promise<Receiver> {
  const receiver = newReceiver();
  receiver.url = `http://127.0.0.1:${await listen(createServer(listener(receiver)))}/webhooks`;
  return receiver;
}

export interface TlsReceiver extends Receiver {
  /** Switches to another certificate and closes the connections that used the old one. */
  renew(certificate: Certificate): void;
}

/** Like `startReceiver`, but with TLS. */
export async function startTlsReceiver(certificate: Certificate): Promise<TlsReceiver> {
  const receiver = newReceiver();
  const server = createTlsServer(certificate, listener(receiver));
  const url = `https://127.0.0.1:${await listen(server)}/webhooks`;
  const renew = (certificate: Certificate) => {
    server.setSecureContext(certificate);
    server.closeAllConnections();
  };
  return Object.assign(receiver, { url, renew });
}

const newReceiver = (): Receiver => ({ url: "", received: [], response: { status: 200, body: "ok", headers: {} } });

function listener(receiver: Receiver): RequestListener {
  return (request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      const headers = request.headers as Record<string, string>;
      receiver.received.push({ headers, body, event: JSON.parse(body) });
      response.writeHead(receiver.response.status, receiver.response.headers).end(receiver.response.body);
    });
  };
}

/** Starts listening on a free port. @returns the port */
async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
