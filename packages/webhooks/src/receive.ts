import { type Delivery, deliveryOf } from "./delivery.ts";
import { WebhookVerificationError } from "./errors.ts";
import type { MaveEvent } from "./events.ts";
import { type HeadersLike, type RawBody, refuse } from "./input.ts";
import { verify } from "./verify.ts";

/** What to do with an event. Where it throws, the request fails and Mave sends the event again later. */
export type OnEvent = (event: MaveEvent, delivery: Delivery) => unknown;

export interface ReceiverOptions {
  /** How far the signature's time may be from now, in seconds. Default 300. */
  tolerance?: number;
  /** The largest body that is read. Default 1 MiB; Mave's own events stay far below. */
  maxBytes?: number;
  /** Told of each refused request, to log it. The sender is told the code and the sentence in any case. */
  onRefused?: (error: WebhookVerificationError) => void;
}

export interface Answer {
  status: number;
  body: string | null;
}

export const MAX_BYTES = 1_048_576;

/** The part that all adapters share: read, verify, handle; 204, or the refusal in words. */
export async function receive(
  read: () => Promise<RawBody>,
  headers: HeadersLike,
  secrets: string | readonly string[],
  onEvent: OnEvent,
  { tolerance = 300, onRefused }: ReceiverOptions = {},
): Promise<Answer> {
  let event: MaveEvent;
  try {
    event = await verify(await read(), headers, secrets, { tolerance });
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    onRefused?.(error);
    return { status: error.status, body: JSON.stringify({ code: error.code, message: error.message }) };
  }
  await onEvent(event, deliveryOf(headers));
  return { status: 204, body: null };
}

/** Collects chunks up to a bound, so that no sender can fill the memory. */
export async function collect(chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const kept: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > maxBytes) return refuse("BODY_TOO_LARGE");
    kept.push(chunk);
  }
  const whole = new Uint8Array(bytes);
  let offset = 0;
  for (const chunk of kept) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
