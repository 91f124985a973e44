import { type OnEvent, type ReceiverOptions, receive } from "./receive.ts";
import { bodyOf, respond } from "./web-request.ts";

/** The part of Hono's context that is used, so that this file needs no types of Hono's. */
interface HonoContext {
  req: { raw: Request; bodyCache: { text?: unknown; arrayBuffer?: unknown } };
}

/** @returns a handler for a route: `app.post("/webhooks", webhook(secret, onEvent))` */
export function webhook(secret: string | readonly string[], onEvent: OnEvent, options: ReceiverOptions = {}) {
  return async ({ req }: HonoContext): Promise<Response> =>
    respond(await receive(() => rawBodyOf(req, options.maxBytes), req.raw.headers, secret, onEvent, options));
}

/** A middleware that read the text or the bytes before leaves them in Hono's cache: those are as good as the stream. */
async function rawBodyOf({ raw, bodyCache }: HonoContext["req"], maxBytes?: number) {
  const kept = await (bodyCache.arrayBuffer ?? bodyCache.text);
  return raw.bodyUsed && kept !== undefined ? (kept as ArrayBuffer | string) : bodyOf(raw, maxBytes);
}
