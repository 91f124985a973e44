/** An adapter for Fetch API servers: Next.js, Deno, Bun, Cloudflare Workers, SvelteKit, Remix and others. */
import { type OnEvent, type ReceiverOptions, receive } from "./receive.ts";
import { bodyOf, responseOf } from "./web-request.ts";

/**
 * Creates a handler: `export const POST = webhook(secret, onEvent)` in Next.js, or `Deno.serve(webhook(secret,
 * onEvent))` in Deno. The handler rejects with any error that `onEvent` throws. The secret is checked on each request,
 * because this code may be loaded at build time, when there is no secret.
 */
export function webhook(secret: string | readonly string[], onEvent: OnEvent, options: ReceiverOptions = {}) {
  return async (request: Request): Promise<Response> =>
    responseOf(await receive(() => bodyOf(request, options.maxBytes), request.headers, secret, onEvent, options));
}
