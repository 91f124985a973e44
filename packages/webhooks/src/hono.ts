import { type OnEvent, type ReceiverOptions, receive } from "./receive.ts";
import { bodyOf, responseOf } from "./web-request.ts";

/** The parts of Hono's context that this adapter uses, so that it does not depend on Hono's types. */
interface HonoContext {
  req: { raw: Request; bodyCache: { text?: unknown; arrayBuffer?: unknown } };
}

/**
 * Creates a Hono route handler: `app.post("/webhooks", webhook(secret, onEvent))`. The handler rejects with any error
 * that `onEvent` throws.
 */
export function webhook(secret: string | readonly string[], onEvent: OnEvent, options: ReceiverOptions = {}) {
  return async ({ req }: HonoContext): Promise<Response> =>
    responseOf(await receive(() => rawBodyOf(req, options.maxBytes), req.raw.headers, secret, onEvent, options));
}

/** Returns the raw body. If earlier middleware has read it, uses the unchanged text or bytes that Hono cached. */
async function rawBodyOf({ raw, bodyCache }: HonoContext["req"], maxBytes?: number) {
  const kept = await (bodyCache.arrayBuffer ?? bodyCache.text);
  return raw.bodyUsed && kept !== undefined ? (kept as ArrayBuffer | string) : bodyOf(raw, maxBytes);
}
