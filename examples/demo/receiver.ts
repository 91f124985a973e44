import { once } from "node:events";
import { createServer } from "node:http";
import { deliveryOf, type MaveEvent, verify, WebhookVerificationError } from "@mave/webhooks";

export interface Receipt {
  event: MaveEvent;
  attempt: number;
  /** Whether this event has arrived before. At-least-once delivery allows duplicates. */
  isDuplicate: boolean;
}

export interface Receiver {
  url: string;
  /** The webhook's secret. Until it is set, requests are rejected, and Mave retries them. */
  secret: string;
  /** The ids of all received events, in order of first arrival. */
  received: Set<string>;
  duplicates: number;
  /** Resolves with the first event of this type, even if it has already arrived. */
  first(type: MaveEvent["type"]): Promise<MaveEvent>;
  close(): void;
}

/** Starts a typical receiver, which reads the raw body, verifies the signature, responds, and then does its work. */
export async function startReceiver(onReceipt: (receipt: Receipt) => void): Promise<Receiver> {
  const firsts = new Map<string, PromiseWithResolvers<MaveEvent>>();
  const firstOf = (type: string) => {
    const found = firsts.get(type) ?? Promise.withResolvers<MaveEvent>();
    firsts.set(type, found);
    return found;
  };
  const server = createServer(async (request, response) => {
    try {
      const event = await verify(Buffer.concat(await request.toArray()), request.headers, receiver.secret);
      const isDuplicate = receiver.received.has(event.id);
      receiver.received.add(event.id);
      if (isDuplicate) receiver.duplicates += 1;
      response.writeHead(204).end();
      onReceipt({ event, attempt: deliveryOf(request.headers).attempt ?? 1, isDuplicate });
      response.once("close", () => firstOf(event.type).resolve(event));
    } catch (error) {
      if (!(error instanceof WebhookVerificationError)) throw error;
      response.writeHead(error.status).end(error.message);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}/webhooks`,
    secret: "",
    received: new Set(),
    duplicates: 0,
    first: (type) => firstOf(type).promise,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return receiver;
}
