import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll } from "vitest";

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
  const receiver: Receiver = { url: "", received: [], answers: { status: 200, body: "ok", headers: {} } };
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      const headers = request.headers as Record<string, string>;
      receiver.received.push({ headers, body, event: JSON.parse(body) });
      response.writeHead(receiver.answers.status, receiver.answers.headers).end(receiver.answers.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  receiver.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`;
  return receiver;
}
