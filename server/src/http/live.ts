import { Type } from "typebox";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import type { Changes } from "../kernel/signals.ts";
import type { Live } from "../ops/live.ts";
import type { Api } from "./api.ts";
import { message, type Stream, type Streams } from "./stream.ts";

const TOPICS = ["delivery", "video", "webhook", "event"] as const;
type Topic = (typeof TOPICS)[number];
/** Pages cannot see comments, and a connection may die without a word: one that misses this is not live. */
const BEAT = message({ event: "beat", data: "" });

export interface ChangeStreamParts {
  streams: Streams;
  live: Pick<Live, "on" | "onMissed">;
  clock: Clock;
}

/** Hints of what changed, for the live dashboard: gathered for a moment, written once for all viewers of a space. */
export function changeStreamRoute(app: Api, { streams, live, clock }: ChangeStreamParts): void {
  const spaces = new Map<string, Viewers>();
  let offs: (() => void)[] = [];
  const listen = () => {
    const hear = (topic: Topic) => (change: Changes[Topic]) => {
      const viewers = spaces.get(change.space);
      const { space: _, ...ids } = change;
      if (viewers) gather(clock, viewers, topic, ids);
    };
    const lookAgain = () => {
      for (const viewers of spaces.values()) for (const topic of TOPICS) gather(clock, viewers, topic, {});
    };
    offs = [...TOPICS.map((topic) => live.on(topic, hear(topic))), live.onMissed(lookAgain)];
  };
  const stopListening = () => {
    for (const off of offs) off();
  };

  app.get(
    "/v1/changes",
    {
      schema: {
        operationId: "streamChanges",
        summary: "Hints of what changed, for live pages",
        description:
          "Server-sent events named delivery, video, webhook and event, with ids. Read again what they name, and everything of " +
          "the kind where they name nothing.",
        tags: ["Dashboard"],
        response: {
          200: { description: "The stream.", content: { "text/event-stream": { schema: Type.String() } } },
        },
      },
    },
    async (request, reply) => {
      const { space } = request.who;
      const stream = streams.begin(request, reply, BEAT);
      const viewers = spaces.get(space) ?? { streams: new Set<Stream>(), gathered: new Set<string>(), waiting: false };
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
  /** Messages not written yet, each once. */
  gathered: Set<string>;
  waiting: boolean;
}

function gather(clock: Clock, viewers: Viewers, topic: Topic, ids: Partial<Changes[Topic]>): void {
  if (viewers.gathered.size < LIMITS.CHANGES_BATCH_MAX)
    viewers.gathered.add(message({ event: topic, data: JSON.stringify(ids, short) }));
  if (viewers.waiting) return;
  viewers.waiting = true;
  clock.after(LIMITS.CHANGES_BATCH_MS, () => {
    const messages = [...viewers.gathered].join("");
    viewers.gathered.clear();
    viewers.waiting = false;
    for (const stream of viewers.streams) stream.write(messages);
  });
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const short = (_: string, value: unknown) => (typeof value === "string" && UUID.test(value) ? shortUuid(value) : value);
