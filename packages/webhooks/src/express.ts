/** For Express 4 and 5, Connect, Next.js pages, node:http, and any other handler of the form `(req, res, next?)`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type RawBody, refuse, secretsOf } from "./input.ts";
import { collect, MAX_BYTES, type OnEvent, type ReceiverOptions, receive } from "./receive.ts";

/** Earlier middleware may have read the body; some of it keeps the bytes. */
type Request = IncomingMessage & { body?: unknown; rawBody?: unknown };

/**
 * Creates a route handler: `app.post("/webhooks", webhook(secret, onEvent))`, placed before any body parser. An error
 * from `onEvent` goes to `next`, or becomes a 500 without one.
 * @throws WebhookVerificationError at once if the secret is missing or malformed
 */
export function webhook(secret: string | readonly string[], onEvent: OnEvent, options: ReceiverOptions = {}) {
  secretsOf(secret);
  return async (req: Request, res: ServerResponse, next?: (error: unknown) => void): Promise<void> => {
    try {
      const { status, body } = await receive(() => rawBodyOf(req, options), req.headers, secret, onEvent, options);
      const headers = body === null ? {} : { "content-type": "application/json" };
      res.writeHead(status, status === 413 ? { ...headers, connection: "close" } : headers).end(body);
    } catch (error) {
      if (next) return next(error);
      console.error(error); // plain node:http has no error handler that would log it
      res.writeHead(500).end();
    }
  };
}

async function rawBodyOf(req: Request, { maxBytes = MAX_BYTES }: ReceiverOptions): Promise<RawBody> {
  // express.raw keeps the bytes as `body`; Cloud Functions and parsers' `verify` hooks as `rawBody`.
  for (const kept of [req.rawBody, req.body]) if (Buffer.isBuffer(kept) || typeof kept === "string") return kept;
  if (req.readableDidRead) return refuse("BODY_PARSED");
  // destroyOnReturn would close the connection before a 413 could be written to it.
  return collect(req.iterator({ destroyOnReturn: false }), maxBytes);
}
