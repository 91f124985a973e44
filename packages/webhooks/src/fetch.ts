/** For everything that speaks Request and Response: Next.js, Deno, Bun, Cloudflare Workers, SvelteKit, Remix … */
import { type OnEvent, type ReceiverOptions, receive } from "./receive.ts";
import { bodyOf, respond } from "./web-request.ts";

/** @returns a handler: `export const POST = webhook(secret, onEvent)` in Next.js, `Deno.serve(webhook(…))`, … */
export function webhook(secret: string | readonly string[], onEvent: OnEvent, options: ReceiverOptions = {}) {
  return async (request: Request): Promise<Response> =>
    respond(await receive(() => bodyOf(request, options.maxBytes), request.headers, secret, onEvent, options));
}
