import type { IncomingMessage } from "node:http";
import type { Clock } from "../clock.ts";
import { LIMITS } from "../limits.ts";

/**
 * After an answer that came before the end of its request's body: reads and drops the rest, so that the answer arrives
 * and the connection can be used again. A close at once would lose the answer for whoever still sends; without an end
 * to it they could send for ever.
 */
export function dropRest(request: IncomingMessage, clock: Pick<Clock, "after">): void {
  if (request.complete) return;
  request.removeAllListeners("data"); // whoever read the body has stopped, and may have left it paused
  request.resume();
  clock.after(LIMITS.REFUSED_BODY_MS, () => request.complete || request.socket.destroy());
}
