import { refuse } from "./input.ts";
import { collect, MAX_BYTES, type ReceiverResponse } from "./receive.ts";

/** Reads the body, which must not have been read before. For example, `request.json()` discards the signed bytes. */
export async function bodyOf(request: Request, maxBytes = MAX_BYTES): Promise<Uint8Array> {
  if (request.bodyUsed) return refuse("BODY_PARSED");
  return request.body === null ? refuse("BODY_EMPTY") : collect(request.body, maxBytes);
}

export const responseOf = ({ status, body }: ReceiverResponse): Response =>
  new Response(body, { status, headers: body === null ? {} : { "content-type": "application/json" } });
