/** For servers built on the Fetch API: Next.js, Deno, Bun, Cloudflare Workers, SvelteKit, Remix and others. */
import { type OnEvent, type ReceiverOptions, receive } from "./receive.ts";
import { bodyOf, responseOf } from "./web-request.ts";

/**
 * Creates a handler: `export const POST = webhook(secret, onEvent)` in Next.js, `Deno.serve(webhook(secret, onEvent))`.
 * The handler rejects with any error that `onEvent` throws. The secret is checked with each request, because a build
 * may load this code without one.
 */
export function webhook(secret: string | readonly string[], onEvent: OnEvent, options: ReceiverOptions = {}) {
  return async (request: Request): Promise<Response> =>
    responseOf(await receive(() => bodyOf(request, options.maxBytes), request.headers, secret, onEvent, options));
}
