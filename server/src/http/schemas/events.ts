import { Type } from "typebox";
import { address, body, id, integer, listOf, objectWord, page, resource, text, time, videoId, word } from "./common.ts";
import { Video } from "./videos.ts";
import { EVENT_TYPE_WORDS, eventType, Webhook } from "./webhooks.ts";

/** By reference, so that OpenAPI names both. Responses contain payloads exactly as recorded and skip the serializer. */
const data = Type.Unsafe<object | null>({
  description: "Snapshot of the object as the API returned it; null if it was erased.",
  anyOf: [{ $ref: address(Video) }, { $ref: address(Webhook) }, { type: "null" }],
});

export const Event = resource(
  "Event",
  "Something that happened. An event never changes, except that its data can be erased.",
  {
    id: id("The same for every webhook and attempt. Use it to deduplicate."),
    object: objectWord("event"),
    type: eventType("The event type."),
    created: time("When the event happened."),
    data,
    sequence: integer("Number of the event within its video, from 1; 0 for an event without a video."),
    video: Type.Optional(videoId("The video of the event; only if the data was erased.")),
    erased: Type.Optional(time("When the data was erased; absent otherwise.")),
  },
);
export const EventList = listOf(Event, "The value of `after` for the next page or the next poll.");

export const EventQuery = body({
  ...page,
  type: Type.Optional(Type.Array(word(EVENT_TYPE_WORDS), { description: "Only events of these types." })),
  video: Type.Optional(videoId("Only events of this video.")),
  order: Type.Optional(
    word(["asc", "desc"], { description: "`asc` (default): oldest first, for polling.", default: "asc" }),
  ),
});
export const StreamQuery = body({
  type: Type.Optional(Type.Array(word(EVENT_TYPE_WORDS), { description: "Only events of these types." })),
  video: Type.Optional(videoId("Only events of this video.")),
  after: Type.Optional(id("Start after this event, like Last-Event-ID. By default, with the next event.")),
});

export const Erasure = resource("Erasure", "Event data that was erased from the log of a deleted video.", {
  object: objectWord("erasure"),
  video: videoId("The id of the video."),
  events: integer("Events erased by this request."),
  attempts: integer("Attempts erased by this request."),
  has_more: Type.Boolean({ description: "Whether more data remains. If so, repeat the request." }),
});

export const EventTypeInfo = resource("EventType", "A type of event.", {
  object: objectWord("event_type"),
  type: eventType("The name of the type."),
  about: word(["video", "webhook"], { description: "The type of the object in `data`." }),
  core: Type.Boolean({ description: "Whether it is one of the three types that every receiver should handle." }),
  occurs: text("When the event occurs."),
  schema: Type.Unsafe<object>({
    type: "object",
    description: "JSON Schema of the delivered body.",
    additionalProperties: true,
  }),
});
export const EventTypeList = listOf(EventTypeInfo);
