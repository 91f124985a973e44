import { refuse } from "./input.ts";
import { type Answer, collect, MAX_BYTES } from "./receive.ts";

/** Reads a request that nothing has read yet; what `json()` has consumed cannot be verified any more. */
export async function bodyOf(request: Request, maxBytes = MAX_BYTES): Promise<Uint8Array> {
  if (request.bodyUsed) return refuse("BODY_PARSED");
  return request.body === null ? refuse("BODY_EMPTY") : collect(request.body, maxBytes);
}

export const respond = ({ status, body }: Answer): Response =>
  new Response(body, { status, headers: body === null ? {} : { "content-type": "application/json" } });
