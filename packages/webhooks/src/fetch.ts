/** For everything that speaks Request and Response: Next.js, Deno, Bun, Cloudflare Workers, SvelteKit, Remix … */
import { refuse } from "./input.ts";
import { type Answer, collect, MAX_BYTES, type OnEvent, type ReceiverOptions, receive } from "./receive.ts";

/** @returns a handler: `export const POST = webhook(secret, onEvent)` in Next.js, `Deno.serve(webhook(…))`, … */
export function webhook(secret: string | readonly string[], onEvent: OnEvent, options: ReceiverOptions = {}) {
  return async (request: Request): Promise<Response> =>
    respond(await receive(() => bodyOf(request, options.maxBytes), request.headers, secret, onEvent, options));
}

/** Reads a request that nothing has read yet; what `json()` has consumed cannot be verified any more. */
export async function bodyOf(request: Request, maxBytes = MAX_BYTES): Promise<Uint8Array> {
  if (request.bodyUsed) return refuse("BODY_PARSED");
  return request.body === null ? refuse("BODY_EMPTY") : collect(request.body, maxBytes);
}

export const respond = ({ status, body }: Answer) =>
  new Response(body, { status, headers: body === null ? {} : { "content-type": "application/json" } });
