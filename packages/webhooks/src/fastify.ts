import type { FastifyPluginAsync } from "fastify";
import { secretsOf } from "./input.ts";
import { MAX_BYTES, type OnEvent, type ReceiverOptions, receive } from "./receive.ts";

export interface WebhookPluginOptions extends ReceiverOptions {
  /** The route's path. */
  path: string;
  secret: string | readonly string[];
  onEvent: OnEvent;
}

/**
 * A plugin: `app.register(webhook, { path: "/webhooks", secret, onEvent })`. What it does to body parsing stays inside
 * of it; the other routes keep their JSON.
 */
export const webhook: FastifyPluginAsync<WebhookPluginOptions> = async (app, options) => {
  const { path, secret, onEvent, maxBytes = MAX_BYTES } = options;
  secretsOf(secret); // a forgotten setting shows at start, not with the first event
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: maxBytes }, (_request, body, done) => done(null, body));
  app.post(path, async (request, reply) => {
    const { status, body } = await receive(
      async () => request.body as Buffer,
      request.headers,
      secret,
      onEvent,
      options,
    );
    reply.code(status);
    return body === null ? reply.send() : reply.type("application/json").send(body);
  });
};
