import { type Static, Type } from "typebox";
import type { Events, RecordedEvent } from "../events/events.ts";
import { EVENT_TYPES } from "../kernel/event-catalog.ts";
import type { Page } from "../kernel/page.ts";
import type { Api } from "./api.ts";
import type { EventStreams } from "./event-stream.ts";
import { paged } from "./lists.ts";
import { id, ref } from "./schemas/common.ts";
import { eventJsonSchema } from "./schemas/event-bodies.ts";
import { Event, EventList, EventQuery, EventTypeList, StreamQuery } from "./schemas/events.ts";
import { EVENT_TYPE_WORDS } from "./schemas/webhooks.ts";

const tags = ["Events"];
const JSON_TYPE = "application/json; charset=utf-8";

export function eventRoutes(app: Api, { events, streams }: { events: Events; streams: EventStreams }): void {
  app.get(
    "/v1/events",
    {
      schema: {
        operationId: "listEvents",
        summary: "List events, or poll for new ones",
        description:
          "Oldest first. To poll for new events, pass the id of the last event you received as `after`. No event is skipped, even if several commit at the same time.",
        tags,
        querystring: EventQuery,
        response: { 200: ref(EventList) },
      },
    },
    async ({ who, query }, reply) => {
      const page = await events.list(who.space, { ...query, ...paged(query) });
      reply.type(JSON_TYPE);
      return asJson(page) as unknown as Static<typeof EventList>; // keeps the payloads exactly as recorded
    },
  );

  app.get(
    "/v1/events/:id",
    {
      schema: {
        operationId: "getEvent",
        summary: "Get an event",
        tags,
        params: Type.Object({ id: id() }),
        response: { 200: ref(Event) },
      },
    },
    async ({ who, params }, reply) => {
      const { json } = await events.get(who.space, params.id);
      reply.type(JSON_TYPE);
      return json as unknown as Static<typeof Event>;
    },
  );

  app.get(
    "/v1/events/stream",
    {
      schema: {
        operationId: "streamEvents",
        summary: "Stream events",
        description:
          "Streams events as server-sent events. Each message carries its event's id, so a client that reconnects with `Last-Event-ID` resumes where it left off.",
        tags,
        querystring: StreamQuery,
        response: {
          200: { description: "The stream.", content: { "text/event-stream": { schema: Type.String() } } },
        },
      },
    },
    (request, reply) => streams.open(request, reply, request.query),
  );

  app.get(
    "/v1/event-types",
    {
      schema: {
        operationId: "listEventTypes",
        summary: "List event types",
        description: "Each type includes the JSON Schema of the body that webhooks receive.",
        tags,
        response: { 200: ref(EventTypeList) },
      },
    },
    async () => ({ object: "list" as const, data: TYPES, has_more: false, next: null }),
  );
}

const TYPES = EVENT_TYPE_WORDS.map((type) => {
  const { about, core, occurs } = EVENT_TYPES[type];
  return { object: "event_type" as const, type, about, core, occurs, schema: eventJsonSchema(type) };
});

const asJson = ({ data, has_more, next }: Page<RecordedEvent>): string =>
  `{"object":"list","data":[${data.map(({ json }) => json).join(",")}],"has_more":${has_more},"next":${JSON.stringify(next)}}`;
