/** For Express 4 and 5, Connect, Next.js pages and plain node:http: anything that hands over `(req, res, next?)`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type RawBody, refuse, secretsOf } from "./input.ts";
import { collect, MAX_BYTES, type OnEvent, type ReceiverOptions, receive } from "./receive.ts";

/** A request as Express leaves it: other middleware may have read the body, and some keep the bytes. */
type Request = IncomingMessage & { body?: unknown; rawBody?: unknown };

/** @returns a handler for a route: `app.post("/webhooks", webhook(secret, onEvent))`, with no body parser before it */
export function webhook(secret: string | readonly string[], onEvent: OnEvent, options: ReceiverOptions = {}) {
  secretsOf(secret); // a forgotten setting shows at start, not with the first event
  return async (req: Request, res: ServerResponse, next?: (error: unknown) => void): Promise<void> => {
    try {
      const { status, body } = await receive(() => rawBodyOf(req, options), req.headers, secret, onEvent, options);
      const headers = body === null ? {} : { "content-type": "application/json" };
      res.writeHead(status, status === 413 ? { ...headers, connection: "close" } : headers).end(body);
    } catch (error) {
      if (next) return next(error);
      console.error(error); // without a framework nobody else tells of it, or answers; Mave will send it again
      res.writeHead(500).end();
    }
  };
}

async function rawBodyOf(req: Request, { maxBytes = MAX_BYTES }: ReceiverOptions): Promise<RawBody> {
  // express.raw leaves the bytes as `body`; Cloud Functions and `verify` hooks of parsers as `rawBody`.
  for (const kept of [req.rawBody, req.body]) if (Buffer.isBuffer(kept) || typeof kept === "string") return kept;
  if (req.readableDidRead) return refuse("BODY_PARSED");
  // destroyOnReturn would close the connection before a 413 could be written on it.
  return collect(req.iterator({ destroyOnReturn: false }), maxBytes);
}
