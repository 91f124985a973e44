import type { FastifyPluginAsync } from "fastify";
import { secretsOf } from "./input.ts";
import { MAX_BYTES, type OnEvent, type ReceiverOptions, receive } from "./receive.ts";

export interface WebhookPluginOptions extends ReceiverOptions {
  /** The route's path. */
  path: string;
  /** The webhook's secret, or both secrets during a rotation. */
  secret: string | readonly string[];
  onEvent: OnEvent;
}

/**
 * A Fastify plugin: `app.register(webhook, { path: "/webhooks", secret, onEvent })`. Fastify encapsulates the plugin's
 * body parser, so other routes keep theirs. Registration rejects if the secret is missing or malformed.
 */
export const webhook: FastifyPluginAsync<WebhookPluginOptions> = async (app, options) => {
  const { path, secret, onEvent, maxBytes = MAX_BYTES } = options;
  secretsOf(secret);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: maxBytes }, (_request, body, done) => done(null, body));
  app.post(path, async ({ body: raw, headers }, reply) => {
    const { status, body } = await receive(async () => raw as Buffer, headers, secret, onEvent, options);
    reply.code(status);
    return body === null ? reply.send() : reply.type("application/json").send(body);
  });
};
