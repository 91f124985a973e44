/**
 * Checks, for each event type, that a request signed by the engine passes the SDK's verification and matches the
 * schemas.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type MaveEvent, verify } from "@mave/webhooks";
import { Ajv2020 } from "ajv/dist/2020.js";
import { beforeAll, describe, expect, test } from "vitest";
import { buildRequest } from "../../server/src/delivery/request.ts";
import { RETRY_SCHEDULE_S } from "../../server/src/delivery/retry-schedule.ts";
import { freeze } from "../../server/src/events/freeze.ts";
import { openApiDocument } from "../../server/src/http/print-openapi.ts";
import { eventJsonSchema } from "../../server/src/http/schemas/event-bodies.ts";
import { Video } from "../../server/src/http/schemas/videos.ts";
import { Webhook } from "../../server/src/http/schemas/webhooks.ts";
import { EVENT_TYPES, type EventType } from "../../server/src/kernel/event-catalog.ts";
import { sampleOf } from "../../server/src/webhooks/sample.ts";
import { ROOT } from "../support/server.ts";

const SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
const NOW = 1_643_723_823;
const types = Object.keys(EVENT_TYPES) as EventType[];

const webhook = {
  id: "keATfB8JP2ggT7U9JZrpV9",
  object: "webhook" as const,
  created: NOW,
  url: "https://example.com/webhooks",
  description: null,
  events: types,
  status: "disabled" as const,
  status_reason: "The receiver responded 410 Gone.",
  status_since: NOW,
  ordering: "video" as const,
  rate_limit: null,
  headers: {},
  secret_hint: "FRYX",
  secret_since: NOW,
  previous_secret_hint: null,
  previous_secret_until: null,
  failing_since: null,
  disables_at: null,
  waits_until: null,
};

/** Builds the request for an event of this type, as the dispatcher does. */
function send(type: EventType) {
  const data = sampleOf(type, webhook, "https://videos.example.com", NOW * 1000);
  const event = { space: "", type, video: null, sequence: 1, data };
  const { payload } = freeze("171d4dcb-df41-4336-ba9a-c4938b0a554e", event, NOW * 1000);
  const target = { url: webhook.url, secrets: [SECRET], previousSecretUntil_s: null, headers: null } as never;
  const delivery = { id: "171d4dcb-df41-4336-ba9a-c4938b0a554e", attempt: 1, sequence: 1, previous: 0 };
  return buildRequest({ target, delivery, payload, version: "0.1.0", now_s: NOW });
}

interface OpenApi {
  webhooks: Record<string, { post: Operation }>;
  components: { schemas: Record<string, { properties: object; required: string[] }> };
}
interface Operation {
  description: string;
  parameters: { name: string }[];
  requestBody: { content: { "application/json": { schema: { properties: Record<string, object> } } } };
}
let openApi: OpenApi;
beforeAll(async () => {
  openApi = (await openApiDocument()) as OpenApi;
});

test("the OpenAPI document describes one webhook for each event type in the catalog", () => {
  expect(Object.keys(openApi.webhooks)).toEqual(types);
});

test("the OpenAPI document's video and webhook schemas have the same fields as the validation schemas, all of them required", () => {
  for (const [name, schema] of Object.entries({ Video, Webhook })) {
    const { properties, required } = openApi.components.schemas[name]!;
    expect(Object.keys(properties)).toEqual(Object.keys(schema.properties));
    expect(required).toEqual(Object.keys(schema.properties));
  }
});

describe.each(types)("%s", (type) => {
  test("passes the SDK's verification and matches its JSON Schema", async () => {
    const { body, headers } = send(type);
    const event: MaveEvent = await verify(body, headers, SECRET, { now: NOW });
    expect(event).toMatchObject({ type, object: "event", created: NOW, data: { object: EVENT_TYPES[type].about } });
    const validate = new Ajv2020({ strict: false }).compile(eventJsonSchema(type));
    validate(event);
    expect(validate.errors).toBeNull();
  });

  test("has exactly the documented fields, in the documented order", () => {
    const event = JSON.parse(send(type).body.toString());
    expect(Object.keys(event)).toEqual(["id", "object", "type", "created", "data"]);
    const fields = EVENT_TYPES[type].about === "video" ? Video.properties : Webhook.properties;
    expect(Object.keys(event.data)).toEqual(Object.keys(fields));
  });

  test("is described in the OpenAPI document with the catalog's text and the headers that are sent", () => {
    const { description, parameters, requestBody } = openApi.webhooks[type]!.post;
    expect(description).toBe(EVENT_TYPES[type].occurs);
    const { properties } = requestBody.content["application/json"].schema;
    expect(Object.keys(properties)).toEqual(["id", "object", "type", "created", "data"]);
    const about = EVENT_TYPES[type].about === "video" ? "Video" : "Webhook";
    expect(properties.data).toEqual({ $ref: `#/components/schemas/${about}` });
    const sent = Object.keys(send(type).headers).filter((name) => !["Content-Type", "User-Agent"].includes(name));
    expect(parameters.map(({ name }) => name).sort()).toEqual(sent.sort());
  });
});

test("docs/receiving.md names every delivery header and the retry schedule", async () => {
  const page = await readFile(join(ROOT, "docs/receiving.md"), "utf8");
  expect(Object.keys(send("video.created").headers).filter((name) => !page.includes(name))).toEqual([]);
  const words = RETRY_SCHEDULE_S.map((delay_s) =>
    delay_s < 60 ? `${delay_s} s` : delay_s < 3600 ? `${delay_s / 60} min` : `${delay_s / 3600} h`,
  );
  expect(page).toContain(words.join(", "));
});
