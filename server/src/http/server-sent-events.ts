import type { ServerResponse } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../kernel/clock.ts";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";

/** A stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export interface Stream {
  readonly space: string;
  readonly open: boolean;
  /** @param messages in the wire format, as returned by `message` */
  write(messages: string): void;
  /** Resolves once all written messages are sent or the stream has ended. */
  drained(): Promise<void>;
  /** Runs `work` once when the stream ends for any reason. */
  onEnd(work: () => void): void;
  end(): void;
}

export interface Streams {
  /**
   * Starts a stream.
   * @param heartbeat what to send every STREAM_HEARTBEAT_MS; by default, a comment, which client code cannot see
   * @throws RATE_LIMITED if too many streams are open
   */
  begin(request: FastifyRequest, reply: FastifyReply, heartbeat?: string): Stream;
  readonly count: number;
  /** Ends all streams. Clients reconnect to another node, or to this one once it has restarted. */
  endAll(): void;
}

export const message = (fields: { event?: string; id?: string; data: string }): string =>
  `${fields.event ? `event: ${fields.event}\n` : ""}${fields.id ? `id: ${fields.id}\n` : ""}data: ${fields.data}\n\n`;

const RECONNECT_MS = 2_000; // how long a client waits, so that a restarted node is not hit by all of them at once
const BUSY_RETRY_S = 10; // streams end when their page is closed, which takes a while

/** @param isAuthenticated checked on each heartbeat, so that a stream ends when its key or session becomes invalid */
export function createStreams(clock: Clock, isAuthenticated: (request: FastifyRequest) => Promise<boolean>): Streams {
  const all = new Set<Stream>();
  const perSpace = new Map<string, number>();
  const count = (space: string, by: number) => perSpace.set(space, (perSpace.get(space) ?? 0) + by);

  return {
    begin(request, reply, heartbeat = ": heartbeat\n\n") {
      const { space } = request.who;
      if (all.size >= LIMITS.STREAMS_PER_NODE_MAX || (perSpace.get(space) ?? 0) >= LIMITS.STREAMS_PER_SPACE_MAX)
        throw new MaveError("RATE_LIMITED", `Too many streams are open. Try again in ${BUSY_RETRY_S} s.`, {
          retryAfter_s: BUSY_RETRY_S,
        });
      const response = hijack(reply);
      const stream = createStream(space, response);
      all.add(stream);
      count(space, 1);
      stream.onEnd(() => {
        all.delete(stream);
        count(space, -1);
        if (perSpace.get(space) === 0) perSpace.delete(space);
      });
      keepAlive(clock, stream, heartbeat, () => isAuthenticated(request));
      return stream;
    },
    get count() {
      return all.size;
    },
    endAll() {
      for (const stream of all) stream.end();
    },
  };
}

function hijack(reply: FastifyReply): ServerResponse {
  reply.hijack();
  const response = reply.raw;
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) response.setHeader(name, value);
  // no-transform and X-Accel-Buffering stop proxies from compressing or buffering, which would delay messages.
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
  });
  response.write(`retry: ${RECONNECT_MS}\n\n`);
  return response;
}

function createStream(space: string, response: ServerResponse): Stream {
  const onEnd: (() => void)[] = [];
  let open = true;
  response.on("error", () => undefined); // the close event follows
  response.once("close", () => {
    open = false;
    for (const work of onEnd) work();
  });
  return {
    space,
    get open() {
      return open;
    },
    write(messages) {
      if (!open) return;
      response.write(messages);
      // A slow client must not use up memory. Once disconnected, it reconnects and resumes after the last message it
      // received.
      if (response.writableLength > LIMITS.STREAM_BUFFERED_BYTES) response.destroy();
    },
    drained() {
      if (!open || !response.writableNeedDrain) return Promise.resolve();
      return new Promise((resolve) => {
        response.once("drain", resolve);
        response.once("close", () => resolve());
      });
    },
    onEnd: (work) => void onEnd.push(work),
    end: () => void response.end(),
  };
}

function keepAlive(clock: Clock, stream: Stream, heartbeat: string, isAuthenticated: () => Promise<boolean>): void {
  const beat = async () => {
    if (!stream.open) return;
    if (!(await isAuthenticated())) return stream.end();
    stream.write(heartbeat);
    cancel = clock.after(LIMITS.STREAM_HEARTBEAT_MS, () => void beat());
  };
  let cancel = clock.after(LIMITS.STREAM_HEARTBEAT_MS, () => void beat());
  stream.onEnd(() => cancel());
}
