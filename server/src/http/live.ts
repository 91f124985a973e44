import { Type } from "typebox";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import type { Changes } from "../kernel/signals.ts";
import { isUuid } from "../kernel/uuid.ts";
import type { Live } from "../ops/live.ts";
import type { Api } from "./api.ts";
import { message, type Stream, type Streams } from "./server-sent-events.ts";

const TOPICS = ["delivery", "video", "webhook", "event"] as const;
type Topic = (typeof TOPICS)[number];
/**
 * A heartbeat, sent as a message because pages cannot see SSE comments. A page that stops receiving heartbeats knows
 * that it no longer receives changes either.
 */
const BEAT = message({ event: "beat", data: "" });

export interface ChangeStreamParts {
  streams: Streams;
  live: Pick<Live, "on" | "onMissed">;
  clock: Clock;
}

/** Streams the ids of changed objects to the dashboard. All viewers of a space share the same batches. */
export function changeStreamRoute(app: Api, { streams, live, clock }: ChangeStreamParts): void {
  const spaces = new Map<string, Viewers>();
  let offs: (() => void)[] = [];
  const listen = () => {
    const onChange = (topic: Topic) => (change: Changes[Topic]) => {
      const viewers = spaces.get(change.space);
      const { space: _, ...ids } = change;
      if (viewers) add(clock, viewers, topic, ids);
    };
    const refetchAll = () => {
      for (const viewers of spaces.values()) for (const topic of TOPICS) add(clock, viewers, topic, {});
    };
    offs = [...TOPICS.map((topic) => live.on(topic, onChange(topic))), live.onMissed(refetchAll)];
  };
  const stopListening = () => {
    for (const off of offs) off();
  };

  app.get(
    "/v1/changes",
    {
      schema: {
        operationId: "streamChanges",
        summary: "Stream changes",
        description:
          "Sends server-sent events named delivery, video, webhook and event, with the ids of the changed objects. Fetch " +
          "those objects again. If an event has no ids, fetch all objects of its kind.",
        tags: ["Dashboard"],
        response: {
          200: { description: "The stream.", content: { "text/event-stream": { schema: Type.String() } } },
        },
      },
    },
    async (request, reply) => {
      const { space } = request.who;
      const stream = streams.begin(request, reply, BEAT);
      const viewers = spaces.get(space) ?? { streams: new Set<Stream>(), batch: new Set<string>(), isScheduled: false };
      if (spaces.size === 0) listen();
      spaces.set(space, viewers);
      viewers.streams.add(stream);
      stream.onEnd(() => {
        viewers.streams.delete(stream);
        if (viewers.streams.size > 0) return;
        spaces.delete(space);
        if (spaces.size === 0) stopListening();
      });
    },
  );
}

interface Viewers {
  streams: Set<Stream>;
  /** Messages not yet written, without duplicates. */
  batch: Set<string>;
  isScheduled: boolean;
}

function add(clock: Clock, viewers: Viewers, topic: Topic, ids: Partial<Changes[Topic]>): void {
  if (viewers.batch.size < LIMITS.CHANGES_BATCH_MAX)
    viewers.batch.add(message({ event: topic, data: JSON.stringify(ids, short) }));
  if (viewers.isScheduled) return;
  viewers.isScheduled = true;
  clock.after(LIMITS.CHANGES_BATCH_MS, () => {
    const messages = [...viewers.batch].join("");
    viewers.batch.clear();
    viewers.isScheduled = false;
    for (const stream of viewers.streams) stream.write(messages);
  });
}

const short = (_: string, value: unknown) => (typeof value === "string" && isUuid(value) ? shortUuid(value) : value);
