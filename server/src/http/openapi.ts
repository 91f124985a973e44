import swagger from "@fastify/swagger";
import type { FastifySchema, RouteOptions } from "fastify";
import { EVENT_TYPES, type EventType } from "../kernel/event-catalog.ts";
import type { Access, Api } from "./api.ts";
import { eventBody } from "./schemas/event-bodies.ts";

/** Collects every route registered after this call into an OpenAPI 3.1 document, which `app.swagger()` returns. */
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
          session: {
            type: "apiKey",
            in: "cookie",
            name: "mave.session_token",
            description: "The dashboard's session cookie.",
          },
        },
      },
      webhooks: webhooks() as never,
    },
    refResolver: { buildLocalReference: ({ $id }, _uri, _fragment, index) => String($id ?? `schema-${index}`) },
    transform: ({ schema, url, route }) => ({ schema: describe(schema, route), url }),
  });
}

const INTRODUCTION = `The dashboard uses this API. Programs can use it with an API key.

**Times** are Unix times in whole seconds. **Ids** are strings and do not sort by time.
**Lists** are paginated: pass \`next\` as \`after\` to get the next page.
**Idempotency**: send an \`Idempotency-Key\` with a request that creates something. If you repeat the request with the same key within 24 hours, you get the same response and nothing is created twice.
**Errors** follow RFC 9457, with a stable \`code\` and a list of all invalid fields: see [all codes](/docs/errors).`;

const TAGS = [
  { name: "Videos", description: "Video embeds and their files." },
  { name: "Webhooks", description: "URLs that receive events." },
  { name: "Events", description: "What happened to videos and webhooks." },
  { name: "Deliveries", description: "The delivery of one event to one webhook, with its attempts." },
  { name: "Replays", description: "Bulk actions that deliver past events again." },
  { name: "API keys", description: "Credentials for programs." },
  { name: "Members", description: "People with access to the space." },
  { name: "Audit log", description: "Who changed what, and when." },
  { name: "Dashboard", description: "Routes used by the dashboard." },
  { name: "Operations", description: "Health checks and metrics for operators." },
];

const PROBLEM = {
  description: "The request failed. `code` identifies the reason.",
  content: { "application/problem+json": { schema: { $ref: "Problem#" } } },
};
const IDEMPOTENCY_KEY = {
  type: "string",
  minLength: 1,
  maxLength: 255,
  description:
    "A unique value that you choose. If you repeat the request with the same value within 24 hours, you get the same response and nothing is created twice.",
};

/** Adds what routes have in common: authentication, errors and the Idempotency-Key. */
function describe(schema: FastifySchema | undefined, route: RouteOptions): FastifySchema {
  if (!schema) return { hide: true } as FastifySchema;
  const { access, idempotent } = (route.config ?? {}) as { access?: Access; idempotent?: boolean };
  const headers = { type: "object", properties: { "Idempotency-Key": IDEMPOTENCY_KEY } };
  return {
    ...schema,
    security: SECURITY[access ?? "read"] as { [scheme: string]: string[] }[],
    response: { ...(schema.response as object), "4xx": PROBLEM, "5xx": PROBLEM },
    ...(idempotent && { headers }),
  };
}

const SECURITY: Record<Access, object[]> = {
  anyone: [],
  read: [{ key: [] }, { session: [] }],
  write: [{ key: [] }, { session: [] }],
  person: [{ session: [] }],
  owner: [{ session: [] }],
};

/** Returns one operation per event type in the catalog. */
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
      "2XX": { description: "Acknowledges the event. Respond within 15 s, and process the event afterward." },
      "410": { description: "Disables the webhook." },
      "4XX": { description: "Any other status counts as a failure, and the delivery is retried." },
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
    "`t={signature_time}, v1={signature}`, with a second `v1` while the previous secret is still valid.",
  ),
  header("Mave-Delivery", "string", "The delivery's id."),
  header("Mave-Attempt", "integer", "The attempt number, starting at 1."),
  header(
    "Mave-Sequence",
    "integer",
    "The event's sequence number within its video, starting at 1, or 0 for an event without a video.",
  ),
  header(
    "Mave-Previous",
    "integer",
    "The sequence number of the video's previous event that this webhook receives, or 0 if there is none.",
  ),
  header("webhook-id", "string", "The event id, as Standard Webhooks requires."),
  header("webhook-timestamp", "integer", "The time of the attempt in Unix seconds, as Standard Webhooks requires."),
  header("webhook-signature", "string", "The signature in Standard Webhooks 1.0 format."),
];
