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
  /** How it answers from now on. */
  answers: { status: number; body: string; headers: Record<string, string> };
}

/** A receiver of someone's own: keeps what it got, answers as it is told. Closed after the test file. */
export async function startReceiver(): Promise<Receiver> {
  const receiver = newReceiver();
  receiver.url = `http://127.0.0.1:${await listen(createServer(listener(receiver)))}/webhooks`;
  return receiver;
}

export interface TlsReceiver extends Receiver {
  /** Shows another certificate from now on; connections that saw the old one are ended. */
  renew(certificate: Certificate): void;
}

/** The same behind TLS. */
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

const newReceiver = (): Receiver => ({ url: "", received: [], answers: { status: 200, body: "ok", headers: {} } });

function listener(receiver: Receiver): RequestListener {
  return (request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      const headers = request.headers as Record<string, string>;
      receiver.received.push({ headers, body, event: JSON.parse(body) });
      response.writeHead(receiver.answers.status, receiver.answers.headers).end(receiver.answers.body);
    });
  };
}

/** @returns its port */
async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
