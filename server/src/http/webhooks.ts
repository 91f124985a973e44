import { type Static, Type } from "typebox";
import { actorName } from "../auth/principal.ts";
import type { SendTest } from "../delivery/test-event.ts";
import type { Webhooks } from "../webhooks/registry.ts";
import type { Api } from "./api.ts";
import type { Change } from "./change.ts";
import { deleted, paged } from "./lists.ts";
import { Deleted, id, ref } from "./schemas/common.ts";
import { Delivery } from "./schemas/deliveries.ts";
import {
  Retries,
  RotationCreate,
  TestCreate,
  Webhook,
  WebhookCreate,
  WebhookHealth,
  WebhookList,
  WebhookQuery,
  WebhookSecret,
  WebhookUpdate,
  WebhookWithSecret,
} from "./schemas/webhooks.ts";

const params = Type.Object({ id: id() });
const tags = ["Webhooks"];

export interface WebhookRouteParts {
  webhooks: Webhooks;
  sendTest: SendTest;
  health: (space: string, id: string) => Promise<Static<typeof WebhookHealth>>;
  change: Change;
}

export function webhookRoutes(app: Api, parts: WebhookRouteParts): void {
  const { webhooks, change } = parts;

  app.post(
    "/v1/webhooks",
    {
      schema: {
        operationId: "createWebhook",
        summary: "Register a webhook",
        description: "The response contains the webhook's secret.",
        tags,
        body: ref(WebhookCreate),
        response: { 201: ref(WebhookWithSecret) },
      },
      config: { idempotent: true },
    },
    (request, reply) => {
      const audit = { action: "webhook.created", subject, details: ({ url }: Webhook) => ({ url }) };
      const by = actorName(request.who);
      return change(request, reply, (tx) => webhooks.create(tx, request.who.space, { ...request.body, by }), {
        status: 201,
        audit,
      });
    },
  );

  app.get(
    "/v1/webhooks",
    {
      schema: {
        operationId: "listWebhooks",
        summary: "List webhooks",
        description: "Newest first.",
        tags,
        querystring: WebhookQuery,
        response: { 200: ref(WebhookList) },
      },
    },
    ({ who, query }) => webhooks.list(who.space, paged(query)),
  );

  app.get(
    "/v1/webhooks/:id",
    { schema: { operationId: "getWebhook", summary: "Get a webhook", tags, params, response: { 200: ref(Webhook) } } },
    ({ who, params }) => webhooks.get(who.space, params.id),
  );

  app.patch(
    "/v1/webhooks/:id",
    {
      schema: {
        operationId: "updateWebhook",
        summary: "Update, pause or resume a webhook",
        description:
          "A paused webhook holds its deliveries. Setting `status` to `enabled` sends them before new events, starting with those that have been due the longest. With `ordering: video`, each video's events are still sent in order. A new URL takes effect with the next attempt.",
        tags,
        params,
        body: ref(WebhookUpdate),
        response: { 200: ref(Webhook) },
      },
    },
    (request, reply) => {
      const audit = { action: "webhook.updated", subject, details: () => ({ changed: Object.keys(request.body) }) };
      return change(request, reply, (tx) => webhooks.update(tx, request.who.space, request.params.id, request.body), {
        audit,
      });
    },
  );

  app.post(
    "/v1/webhooks/:id/retries",
    {
      schema: {
        operationId: "retryWebhook",
        summary: "Send all retries now",
        description:
          "Makes the webhook's retries due now, in the order of their events. Mave also does this by itself when an attempt succeeds after three or more failures in a row. A retry that fails again returns to its schedule without using a step of it. Repeating the request has no further effect on deliveries that are already due.",
        tags,
        params,
        response: { 200: ref(Retries) },
      },
      config: { idempotent: true },
    },
    (request, reply) => {
      const details = ({ count }: Static<typeof Retries>) => ({ count });
      const audit = { action: "webhook.retried", subject: () => request.params.id, details };
      return change(request, reply, (tx) => webhooks.retry(tx, request.who.space, request.params.id), { audit });
    },
  );

  app.delete(
    "/v1/webhooks/:id",
    {
      schema: {
        operationId: "deleteWebhook",
        summary: "Delete a webhook",
        description: "Cancels the webhook's pending deliveries.",
        tags,
        params,
        response: { 200: ref(Deleted) },
      },
    },
    (request, reply) => {
      const audit = { action: "webhook.deleted", subject };
      return change(request, reply, (tx) => webhooks.remove(tx, request.who.space, request.params.id), {
        audit,
        present: deleted,
      });
    },
  );

  secretRoutes(app, parts);
  observationRoutes(app, parts);
}

function secretRoutes(app: Api, { webhooks, change }: WebhookRouteParts): void {
  app.get(
    "/v1/webhooks/:id/secret",
    {
      schema: {
        operationId: "getWebhookSecret",
        summary: "Reveal a webhook's secret",
        description: "Requires the `write` scope. The request is recorded in the audit log.",
        tags,
        params,
        response: { 200: ref(WebhookSecret) },
      },
      config: { access: "write" },
    },
    (request, reply) => {
      const audit = { action: "webhook.secret_revealed", subject: () => request.params.id };
      return change(request, reply, (tx) => webhooks.revealSecret(tx, request.who.space, request.params.id), { audit });
    },
  );

  app.post(
    "/v1/webhooks/:id/secret/rotations",
    {
      schema: {
        operationId: "rotateWebhookSecret",
        summary: "Rotate a webhook's secret",
        description:
          "For `overlap_seconds`, deliveries are also signed with the previous secret, so receivers can switch to the new one without failures.",
        tags,
        params,
        body: ref(RotationCreate),
        response: { 201: ref(WebhookWithSecret) },
      },
      config: { idempotent: true },
    },
    (request, reply) => {
      const { overlap_seconds, secret } = request.body;
      const audit = { action: "webhook.secret_rotated", subject, details: () => ({ overlap_seconds }) };
      return change(
        request,
        reply,
        (tx) => webhooks.rotateSecret(tx, request.who.space, request.params.id, { overlap_seconds, secret }),
        { status: 201, audit },
      );
    },
  );
}

function observationRoutes(app: Api, { sendTest, health, change }: WebhookRouteParts): void {
  app.post(
    "/v1/webhooks/:id/tests",
    {
      schema: {
        operationId: "testWebhook",
        summary: "Send a test event",
        description:
          "Only this webhook receives the event, even if its event types do not include it. The delivery is attempted only once.",
        tags,
        params,
        body: ref(TestCreate),
        response: { 202: ref(Delivery) },
      },
      config: { idempotent: true },
    },
    (request, reply) =>
      change(
        request,
        reply,
        (tx) => {
          const { type = "webhook.test" } = request.body;
          return sendTest(tx, request.who.space, request.params.id, type);
        },
        { status: 202 },
      ),
  );

  app.get(
    "/v1/webhooks/:id/health",
    {
      schema: {
        operationId: "getWebhookHealth",
        summary: "Get a webhook's health",
        tags,
        params,
        response: { 200: ref(WebhookHealth) },
      },
    },
    ({ who, params }) => health(who.space, params.id),
  );
}

const subject = ({ id }: { id: string }): string => id;
