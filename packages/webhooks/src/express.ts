/** An adapter for Express 4 and 5, Connect, Next.js pages, node:http, and other `(req, res, next?)` handlers. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type RawBody, refuse, secretsOf } from "./input.ts";
import { collect, MAX_BYTES, type OnEvent, type ReceiverOptions, receive } from "./receive.ts";

/** Earlier middleware may have read the body, perhaps keeping its bytes. */
type Request = IncomingMessage & { body?: unknown; rawBody?: unknown };

/**
 * Creates a route handler: `app.post("/webhooks", webhook(secret, onEvent))`. Register it before any body parser. An
 * error from `onEvent` is passed to `next`, or results in a 500 if there is no `next`.
 * @throws WebhookVerificationError immediately if the secret is missing or malformed
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
      console.error(error); // plain node:http has no error handler to log it
      res.writeHead(500).end();
    }
  };
}

async function rawBodyOf(req: Request, { maxBytes = MAX_BYTES }: ReceiverOptions): Promise<RawBody> {
  // express.raw keeps the bytes as `body`; Cloud Functions and body parsers' `verify` hooks keep them as `rawBody`.
  for (const kept of [req.rawBody, req.body]) if (Buffer.isBuffer(kept) || typeof kept === "string") return kept;
  if (req.readableDidRead) return refuse("BODY_PARSED");
  // destroyOnReturn would close the connection before a 413 could be sent.
  return collect(req.iterator({ destroyOnReturn: false }), maxBytes);
}
