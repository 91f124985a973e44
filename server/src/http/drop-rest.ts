import type { IncomingMessage } from "node:http";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";

/**
 * After a response that came before the end of its request's body: reads and drops the rest, so that the response arrives
 * and the connection can be used again. A close at once would lose the response for whoever still sends; without an end
 * to it they could send for ever.
 */
export function dropRest(request: IncomingMessage, clock: Pick<Clock, "after">): void {
  if (request.complete) return;
  request.removeAllListeners("data"); // whoever read the body has stopped, and may have left it paused
  request.resume();
  clock.after(LIMITS.BODY_DISCARD_MS, () => request.complete || request.socket.destroy());
}
