import type { FastifyReply, FastifyRequest } from "fastify";
import type { Events, RecordedEvent } from "../events/events.ts";
import type { Clock } from "../kernel/clock.ts";
import type { EventType } from "../kernel/event-catalog.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Signals } from "../kernel/signals.ts";
import { message, type Stream, type Streams } from "./server-sent-events.ts";

export interface EventStreams {
  open(request: FastifyRequest, reply: FastifyReply, choice: Choice & { after?: string }): Promise<void>;
}

interface Choice {
  type?: EventType[];
  video?: string;
}

interface Viewer {
  stream: Stream;
  choice: Choice;
  /** Ids of events sent while catching up, so that the tail does not send them again. */
  seen: Set<string>;
}

/** Reads a space's new events once for all of its viewers. */
interface Tail {
  space: string;
  cursor: string | undefined;
  /** Maps each viewer to whether it has caught up. */
  viewers: Map<Viewer, boolean>;
  /** Makes reads and joining viewers take turns. */
  turn: Promise<void>;
  /** Whether a read is queued. */
  isReadQueued: boolean;
  stop(): void;
}

export interface EventStreamParts {
  events: Events;
  streams: Streams;
  live: Pick<Signals, "on">;
  clock: Clock;
  onError(error: unknown): void;
}

/**
 * Creates event streams. A viewer first catches up with its own queries, starting after the last event it has seen.
 * After that, it receives the events that its space's tail reads, so a thousand viewers share one query. The tail reads
 * on every signal. It also polls slowly, because signals can be lost, and because an event becomes readable only after
 * every older transaction has ended.
 */
export function createEventStreams(parts: EventStreamParts): EventStreams {
  const tails = new Map<string, Tail>();
  return {
    async open(request, reply, { after, ...choice }) {
      const { space } = request.who;
      const resumed = request.headers["last-event-id"];
      const cursor = (typeof resumed === "string" ? resumed : after) ?? (await parts.events.last(space)) ?? undefined;
      await parts.events.list(space, { after: cursor, limit: 1 }); // rejects an invalid cursor before responding
      const viewer: Viewer = { stream: parts.streams.begin(request, reply), choice, seen: new Set() };
      await follow(parts, tails, viewer, cursor).catch((error) => {
        parts.onError(error);
        viewer.stream.end(); // the client reconnects and continues after the last event it has seen
      });
    },
  };
}

async function follow(
  parts: EventStreamParts,
  tails: Map<string, Tail>,
  viewer: Viewer,
  cursor: string | undefined,
): Promise<void> {
  const { stream } = viewer;
  const near = await catchUp(parts.events, viewer, cursor);
  const end = (await parts.events.last(stream.space)) ?? undefined;
  if (!stream.open) return;
  const tail = tails.get(stream.space) ?? startTail(parts, tails, stream.space, end);
  stream.onEnd(() => leave(tails, tail, viewer));
  tail.viewers.set(viewer, false);
  await inTurn(tail, async () => {
    await readOn(parts.events, tail);
    // Sends the events that are still missing. If the tail reads any of them later, it skips them for this viewer.
    await catchUp(parts.events, viewer, near, (id) => viewer.seen.add(id));
    if (stream.open) tail.viewers.set(viewer, true);
  });
  read(parts, tail);
}

/** Sends every event after `cursor`. @returns the id of the last event sent, or `cursor` if there was none */
async function catchUp(
  events: Events,
  { stream, choice }: Viewer,
  cursor: string | undefined,
  onSent: (id: string) => void = () => {},
): Promise<string | undefined> {
  let last = cursor;
  for (let more = true; more && stream.open; ) {
    const page = await events.list(stream.space, { ...choice, after: last, limit: LIMITS.STREAM_PAGE });
    for (const event of page.data) {
      stream.write(asMessage(event));
      onSent(event.id);
    }
    last = page.data.at(-1)?.id ?? last;
    more = page.has_more;
    await stream.drained();
  }
  return last;
}

const asMessage = ({ id, type, json }: RecordedEvent): string => message({ event: type, id, data: json });

function startTail(parts: EventStreamParts, tails: Map<string, Tail>, space: string, cursor: string | undefined): Tail {
  let cancel = () => {};
  const poll = () => {
    read(parts, tail);
    cancel = parts.clock.after(LIMITS.STREAM_POLL_MS, poll);
  };
  const off = parts.live.on("event", (event) => {
    if (event.space === space) read(parts, tail);
  });
  const stop = () => {
    cancel();
    off();
  };
  const tail: Tail = { space, cursor, viewers: new Map(), turn: Promise.resolve(), isReadQueued: false, stop };
  cancel = parts.clock.after(LIMITS.STREAM_POLL_MS, poll);
  tails.set(space, tail);
  return tail;
}

function leave(tails: Map<string, Tail>, tail: Tail, viewer: Viewer): void {
  tail.viewers.delete(viewer);
  if (tail.viewers.size > 0 || tails.get(tail.space) !== tail) return;
  tail.stop();
  tails.delete(tail.space);
}

function inTurn(tail: Tail, work: () => Promise<void>): Promise<void> {
  const mine = tail.turn.then(work);
  tail.turn = mine.catch(() => undefined); // the caller handles the error
  return mine;
}

/** Queues a read unless one is queued already. */
function read(parts: EventStreamParts, tail: Tail): void {
  if (tail.isReadQueued) return;
  tail.isReadQueued = true;
  inTurn(tail, async () => {
    tail.isReadQueued = false;
    await readOn(parts.events, tail);
  }).catch(parts.onError); // the next signal or poll continues from the same cursor
}

/** Reads new events and sends them to the viewers that have caught up. */
async function readOn(events: Events, tail: Tail): Promise<void> {
  for (let more = true; more && tail.viewers.size > 0; ) {
    const page = await events.list(tail.space, { after: tail.cursor, limit: LIMITS.STREAM_PAGE });
    for (const event of page.data) send(tail, event);
    tail.cursor = page.data.at(-1)?.id ?? tail.cursor;
    more = page.has_more;
  }
  for (const { seen } of tail.viewers.keys()) seen.clear(); // the tail has passed all of them
}

function send(tail: Tail, event: RecordedEvent): void {
  const text = asMessage(event);
  for (const [{ stream, choice, seen }, caughtUp] of tail.viewers) {
    if (!caughtUp || seen.has(event.id)) continue;
    if (choice.type && !choice.type.includes(event.type)) continue;
    if (choice.video && event.video !== choice.video) continue;
    stream.write(text);
  }
}
