import { EVENT_TYPES, type EventType } from "../../kernel/event-catalog.ts";
import { Video } from "./videos.ts";
import { Webhook } from "./webhooks.ts";

/**
 * Returns the JSON Schema (2020-12) of the body that webhooks receive for an event type. It is the basis of OpenAPI's
 * `webhooks`, `GET /v1/event-types` and the contract test.
 * @param data the schema of `data`, inline or by reference
 */
export function eventBody(type: EventType, data: object): object {
  return {
    type: "object",
    description: EVENT_TYPES[type].occurs,
    properties: {
      id: {
        type: "string",
        description: "The event id. Use it to deduplicate.",
        examples: ["j3bw2jWb6q7aWGwChsgR86"],
      },
      object: { type: "string", enum: ["event"] },
      type: { type: "string", enum: [type] },
      created: { type: "integer", description: "When the event happened. Unix seconds.", examples: [1643723823] },
      data,
    },
    required: ["id", "object", "type", "created", "data"],
  };
}

/** Returns the schema with all references inlined. */
export function eventJsonSchema(type: EventType): object {
  const { $id: _, ...data } = (EVENT_TYPES[type].about === "video" ? Video : Webhook) as { $id?: string };
  return { $schema: "https://json-schema.org/draft/2020-12/schema", ...eventBody(type, data) };
}
