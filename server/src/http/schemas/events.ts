import { Type } from "typebox";
import { address, body, id, integer, listOf, objectWord, page, resource, text, time, videoId, word } from "./common.ts";
import { Video } from "./videos.ts";
import { EVENT_TYPE_WORDS, eventType, Webhook } from "./webhooks.ts";

/**
 * Refers to the two schemas by name, so that OpenAPI shows their names. Responses bypass the serializer, so that they
 * contain payloads exactly as recorded.
 */
const data = Type.Unsafe<object | null>({
  description:
    "A snapshot of the object as the API returned it when the event happened, or null if the data was erased.",
  anyOf: [{ $ref: address(Video) }, { $ref: address(Webhook) }, { type: "null" }],
});

export const Event = resource(
  "Event",
  "Something that happened to a video or webhook. An event never changes, except that its data can be erased.",
  {
    id: id("The event id, which is the same for every webhook and attempt. Use it to deduplicate."),
    object: objectWord("event"),
    type: eventType("The event type."),
    created: time("When the event happened."),
    data,
    sequence: integer(
      "The event's sequence number within its video, starting at 1, or 0 for an event without a video.",
    ),
    video: Type.Optional(videoId("The event's video. Present only if the data was erased.")),
    erased: Type.Optional(time("When the data was erased. Present only if it was erased.")),
  },
);
export const EventList = listOf(Event, "The value to pass as `after` to get the next page or to poll for new events.");

export const EventQuery = body({
  ...page,
  type: Type.Optional(Type.Array(word(EVENT_TYPE_WORDS), { description: "Only events of these types." })),
  video: Type.Optional(videoId("Only events of this video.")),
  order: Type.Optional(
    word(["asc", "desc"], {
      description: "`asc` (default) returns the oldest events first, as needed for polling.",
      default: "asc",
    }),
  ),
});
export const StreamQuery = body({
  type: Type.Optional(Type.Array(word(EVENT_TYPE_WORDS), { description: "Only events of these types." })),
  video: Type.Optional(videoId("Only events of this video.")),
  after: Type.Optional(
    id("The event to start after, like Last-Event-ID. By default, the stream starts with the next new event."),
  ),
});

export const Erasure = resource("Erasure", "The erasure of a deleted video's event data.", {
  object: objectWord("erasure"),
  video: videoId("The video's id."),
  events: integer("Events erased by this request."),
  attempts: integer("Attempts erased by this request."),
  has_more: Type.Boolean({ description: "Whether more data remains to be erased. If so, repeat the request." }),
});

export const EventTypeInfo = resource("EventType", "A type of event.", {
  object: objectWord("event_type"),
  type: eventType("The name of the type."),
  about: word(["video", "webhook"], { description: "The type of the object in `data`." }),
  core: Type.Boolean({ description: "Whether this is one of the three types that every receiver should handle." }),
  occurs: text("When the event occurs."),
  schema: Type.Unsafe<object>({
    type: "object",
    description: "JSON Schema of the body that webhooks receive.",
    additionalProperties: true,
  }),
});
export const EventTypeList = listOf(EventTypeInfo);
