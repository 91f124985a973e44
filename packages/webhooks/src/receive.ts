import { type Delivery, deliveryOf } from "./delivery.ts";
import { WebhookVerificationError } from "./errors.ts";
import type { MaveEvent } from "./events.ts";
import { type HeadersLike, type RawBody, refuse } from "./input.ts";
import { verify } from "./verify.ts";

/** Handles a verified event. If it throws, the request fails and Mave retries the delivery. */
export type OnEvent = (event: MaveEvent, delivery: Delivery) => unknown;

export interface ReceiverOptions {
  /** Maximum difference between the signature's time and the current time, in seconds. Default: 300. */
  tolerance?: number;
  /** Maximum body size in bytes. Default: 1 MiB, far more than any Mave event. */
  maxBytes?: number;
  /** Called for each rejected request, for logging. The response always includes the code and message. */
  onRefused?: (error: WebhookVerificationError) => void;
}

export interface ReceiverResponse {
  status: number;
  body: string | null;
}

export const MAX_BYTES = 1_048_576;

/** Reads, verifies and handles a request for any adapter. Returns a 204, or the reason for rejecting the request. */
export async function receive(
  read: () => Promise<RawBody>,
  headers: HeadersLike,
  secrets: string | readonly string[],
  onEvent: OnEvent,
  { tolerance = 300, onRefused }: ReceiverOptions = {},
): Promise<ReceiverResponse> {
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

/** Concatenates chunks up to a limit, so that no sender can exhaust memory. */
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
