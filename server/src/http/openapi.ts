import swagger from "@fastify/swagger";
import type { FastifySchema, RouteOptions } from "fastify";
import { EVENT_TYPES, type EventType } from "../kernel/event-catalog.ts";
import type { Access, Api } from "./api.ts";
import { eventBody } from "./schemas/event-bodies.ts";

/** Collects the routes that are registered after it into an OpenAPI 3.1 document: `app.swagger()`. */
export async function openApi(app: Api, { publicUrl, version }: { publicUrl: string; version: string }): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Mave",
        version,
        description: INTRODUCTION,
        license: { name: "MIT", identifier: "MIT" },
      },
      servers: [{ url: publicUrl }],
      tags: TAGS,
      components: {
        securitySchemes: {
          key: { type: "http", scheme: "bearer", description: "An API key: `Authorization: Bearer mave_…`." },
          session: { type: "apiKey", in: "cookie", name: "mave.session_token", description: "The dashboard's own." },
        },
      },
      webhooks: webhooks() as never,
    },
    refResolver: { buildLocalReference: ({ $id }, _uri, _fragment, index) => String($id ?? `schema-${index}`) },
    transform: ({ schema, url, route }) => ({ schema: describe(schema, route), url }),
  });
}

const INTRODUCTION = `Everything the dashboard does, a program can do with an API key.

**Times** are Unix times in whole seconds. **Ids** are texts without an order.
**Lists** come in pages: pass the \`next\` of one as \`after\` for the following one.
**Creating calls** take an \`Idempotency-Key\`: repeated within 24 hours, the same call gives the same response and is not done twice.
**Errors** are problems as in RFC 9457, with a stable \`code\` and every bad field at once: see [all codes](/docs/errors).`;

const TAGS = [
  { name: "Videos", description: "Video embeds and their files." },
  { name: "Webhooks", description: "URLs that receive events." },
  { name: "Events", description: "What happened." },
  { name: "Deliveries", description: "One event for one webhook, with its attempts." },
  { name: "Replays", description: "Past events, delivered again." },
  { name: "API keys", description: "What programs sign in with." },
  { name: "Members", description: "The people of the space." },
  { name: "Audit log", description: "Who did what." },
  { name: "Dashboard", description: "What the dashboard itself uses." },
  { name: "Operations", description: "For those who run the server." },
];

const PROBLEM = {
  description: "It failed; `code` says why.",
  content: { "application/problem+json": { schema: { $ref: "Problem#" } } },
};
const IDEMPOTENCY_KEY = {
  type: "string",
  minLength: 1,
  maxLength: 255,
  description:
    "Any text of your own. Repeated within 24 hours, the call gives the same response and is not done twice.",
};

/** Adds what every route has: who may call it, how it fails, and the Idempotency-Key. */
function describe(schema: FastifySchema | undefined, route: RouteOptions): FastifySchema {
  if (!schema) return { hide: true } as FastifySchema;
  const { access, once } = (route.config ?? {}) as { access?: Access; once?: boolean };
  const headers = { type: "object", properties: { "Idempotency-Key": IDEMPOTENCY_KEY } };
  return {
    ...schema,
    security: SECURITY[access ?? "read"] as { [scheme: string]: string[] }[],
    response: { ...(schema.response as object), "4xx": PROBLEM, "5xx": PROBLEM },
    ...(once && { headers }),
  };
}

const SECURITY: Record<Access, object[]> = {
  anyone: [],
  read: [{ key: [] }, { session: [] }],
  write: [{ key: [] }, { session: [] }],
  person: [{ session: [] }],
  owner: [{ session: [] }],
};

/** What a receiver is sent: one operation per event type, from the catalog. */
function webhooks(): Record<string, object> {
  const types = Object.keys(EVENT_TYPES) as EventType[];
  return Object.fromEntries(types.map((type) => [type, { post: webhookOperation(type) }]));
}

function webhookOperation(type: EventType): object {
  const { about, occurs } = EVENT_TYPES[type];
  const data = { $ref: `#/components/schemas/${about === "video" ? "Video" : "Webhook"}` };
  return {
    operationId: type.replace(/\.(.)/, (_, letter: string) => letter.toUpperCase()),
    summary: type,
    description: occurs,
    tags: ["Events"],
    security: [],
    parameters: DELIVERY_HEADERS,
    requestBody: { required: true, content: { "application/json": { schema: eventBody(type, data) } } },
    responses: {
      "2XX": { description: "Received. Answer first, work later: an attempt has 15 s." },
      "410": { description: "Not wanted any more: the webhook is disabled." },
      "4XX": { description: "Any other response is a failure: the delivery is tried again." },
    },
  };
}

const header = (name: string, type: "string" | "integer", description: string) => ({
  name,
  in: "header",
  required: true,
  description,
  schema: { type },
});

const DELIVERY_HEADERS = [
  header(
    "Mave-Signature",
    "string",
    "`t={signature_time}, v1={signature}`, twice `v1` while an old secret still signs.",
  ),
  header("Mave-Delivery", "string", "The delivery's id."),
  header("Mave-Attempt", "integer", "1 for the first attempt."),
  header("Mave-Sequence", "integer", "The event's number within its video, from 1."),
  header("Mave-Previous", "integer", "The number of the last earlier event of that video that this webhook was due."),
  header("webhook-id", "string", "The event's id, as Standard Webhooks names it."),
  header("webhook-timestamp", "integer", "Unix seconds of this attempt."),
  header("webhook-signature", "string", "The signature in the form of Standard Webhooks 1.0."),
];
