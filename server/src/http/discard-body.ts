import type { IncomingMessage } from "node:http";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";

/**
 * Reads and discards the rest of a request body after an early response, so that the response arrives and the
 * connection can be reused. If the connection were closed immediately, a client that is still sending would lose the
 * response. If the body has not ended after BODY_DISCARD_MS, the connection is closed anyway.
 */
export function discardBody(request: IncomingMessage, clock: Pick<Clock, "after">): void {
  if (request.complete) return;
  request.removeAllListeners("data"); // the previous reader may have left the stream paused
  request.resume();
  clock.after(LIMITS.BODY_DISCARD_MS, () => request.complete || request.socket.destroy());
}
