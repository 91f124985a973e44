import { Type } from "typebox";
import { address, body, id, integer, listOf, objectWord, page, resource, text, time, videoId, word } from "./common.ts";
import { Video } from "./videos.ts";
import { EVENT_TYPE_WORDS, eventType, Webhook } from "./webhooks.ts";

/** `data` by reference, so that both kinds are named in OpenAPI. Answers carry the frozen bytes and skip the serializer. */
const data = Type.Unsafe<object | null>({
  description: "The object as it was then: the very form in which the API returns it. Null where it was erased.",
  anyOf: [{ $ref: address(Video) }, { $ref: address(Webhook) }, { type: "null" }],
});

export const Event = resource(
  "Event",
  "Something that happened. It never changes, except that its data can be erased.",
  {
    id: id("The event's id: the same for every webhook and every attempt. Deduplicate by it."),
    object: objectWord("event"),
    type: eventType("What happened."),
    created: time("When it happened."),
    data,
    sequence: integer("Its number within its video, from 1; 0 for an event without a video."),
    video: Type.Optional(videoId("The video it was about; only where its data was erased.")),
    erased: Type.Optional(time("When its data was erased; absent where it was not.")),
  },
);
export const EventList = listOf(Event, "The id to pass as `after` for the next page, or to poll on with.");

export const EventQuery = body({
  ...page,
  type: Type.Optional(Type.Array(word(EVENT_TYPE_WORDS), { description: "Only these types." })),
  video: Type.Optional(videoId("Only those of this video.")),
  order: Type.Optional(
    word(["asc", "desc"], { description: "`asc` (default): oldest first, for polling.", default: "asc" }),
  ),
});
export const StreamQuery = body({
  type: Type.Optional(Type.Array(word(EVENT_TYPE_WORDS), { description: "Only these types." })),
  video: Type.Optional(videoId("Only those of this video.")),
  after: Type.Optional(id("Where to begin, as Last-Event-ID; left out: with the next event.")),
});

export const Erasure = resource("Erasure", "What was removed from the log of a deleted video.", {
  object: objectWord("erasure"),
  video: videoId("The video's id, which it keeps."),
  events: integer("How many events lost their data by this request."),
  attempts: integer("How many attempts lost their headers and bodies by this request."),
  has_more: Type.Boolean({ description: "Whether there is more than one request erases: ask again." }),
});

export const EventTypeInfo = resource("EventType", "One kind of event.", {
  object: objectWord("event_type"),
  type: eventType("Its name."),
  about: word(["video", "webhook"], { description: "What its `data` is." }),
  core: Type.Boolean({ description: "Whether it is one of the three that every webhook should know." }),
  occurs: text("When it occurs."),
  schema: Type.Unsafe<object>({
    type: "object",
    description: "A JSON Schema of what is delivered.",
    additionalProperties: true,
  }),
});
export const EventTypeList = listOf(EventTypeInfo);
