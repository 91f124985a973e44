import { EVENT_TYPES, type EventType } from "../../kernel/event-catalog.ts";
import { Video } from "./videos.ts";
import { Webhook } from "./webhooks.ts";

/**
 * What a delivery's body holds, a JSON Schema (2020-12) per event type, made from the catalog and the API's own
 * schemas: the source of OpenAPI's `webhooks`, of `GET /v1/event-types` and of the contract test.
 * @param data the schema of `data`, in place or by reference
 */
export function eventBody(type: EventType, data: object): object {
  return {
    type: "object",
    description: EVENT_TYPES[type].occurs,
    properties: {
      id: { type: "string", description: "The event's id. Deduplicate by it.", examples: ["j3bw2jWb6q7aWGwChsgR86"] },
      object: { type: "string", enum: ["event"] },
      type: { type: "string", enum: [type] },
      created: { type: "integer", description: "When it happened. Unix seconds.", examples: [1643723823] },
      data,
    },
    required: ["id", "object", "type", "created", "data"],
  };
}

/** One that stands for itself, without a reference. */
export function eventJsonSchema(type: EventType): object {
  const { $id: _, ...data } = (EVENT_TYPES[type].about === "video" ? Video : Webhook) as { $id?: string };
  return { $schema: "https://json-schema.org/draft/2020-12/schema", ...eventBody(type, data) };
}
