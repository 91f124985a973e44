import type { IncomingMessage } from "node:http";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";

/**
 * Reads and discards the rest of a request body after an early response, so that the response arrives and the connection
 * can be reused. Closing the connection immediately would lose the response for a client that is still sending. After
 * BODY_DISCARD_MS, the connection is closed.
 */
export function discardBody(request: IncomingMessage, clock: Pick<Clock, "after">): void {
  if (request.complete) return;
  request.removeAllListeners("data"); // the reader has stopped, and may have left the stream paused
  request.resume();
  clock.after(LIMITS.BODY_DISCARD_MS, () => request.complete || request.socket.destroy());
}
