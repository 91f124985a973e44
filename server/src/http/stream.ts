import type { ServerResponse } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../kernel/clock.ts";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";

/** One open stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export interface Stream {
  readonly space: string;
  readonly open: boolean;
  /** Messages in the stream's own text form, as `message` makes them. */
  write(messages: string): void;
  /** Resolves once what was written has left for the network, or the stream has ended. */
  drained(): Promise<void>;
  /** Called once, at its end, whoever ended it. */
  onEnd(work: () => void): void;
  end(): void;
}

export interface Streams {
  /**
   * Begins one.
   * @param heartbeat what it says every STREAM_HEARTBEAT_MS: a comment, or a message where the client's program is to see it
   * @throws RATE_LIMITED where there are too many
   */
  begin(request: FastifyRequest, reply: FastifyReply, heartbeat?: string): Stream;
  readonly count: number;
  /** Ends all of them: clients reconnect, to another node or to the next start. */
  endAll(): void;
}

export const message = (fields: { event?: string; id?: string; data: string }): string =>
  `${fields.event ? `event: ${fields.event}\n` : ""}${fields.id ? `id: ${fields.id}\n` : ""}data: ${fields.data}\n\n`;

const RECONNECT_MS = 2_000;
const BUSY_RETRY_S = 10;

/**
 * @param stillMay asked at each heartbeat, so that a stream outlives neither its key nor its session
 */
export function createStreams(clock: Clock, stillMay: (request: FastifyRequest) => Promise<boolean>): Streams {
  const all = new Set<Stream>();
  const perSpace = new Map<string, number>();
  const count = (space: string, by: number) => perSpace.set(space, (perSpace.get(space) ?? 0) + by);

  return {
    begin(request, reply, heartbeat = ": still here\n\n") {
      const { space } = request.who;
      if (all.size >= LIMITS.STREAMS_PER_NODE_MAX || (perSpace.get(space) ?? 0) >= LIMITS.STREAMS_PER_SPACE_MAX)
        throw new MaveError("RATE_LIMITED", "Too many streams are open.", { retryAfter_s: BUSY_RETRY_S });
      const response = hijack(reply);
      const stream = createStream(space, response);
      all.add(stream);
      count(space, 1);
      stream.onEnd(() => {
        all.delete(stream);
        count(space, -1);
        if (perSpace.get(space) === 0) perSpace.delete(space);
      });
      keepAlive(clock, stream, heartbeat, () => stillMay(request));
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
  // no-transform and X-Accel-Buffering: a proxy that compresses or gathers would hold messages back.
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
  });
  response.write(`retry: ${RECONNECT_MS}\n\n`);
  return response;
}

function createStream(space: string, response: ServerResponse): Stream {
  const atEnd: (() => void)[] = [];
  let open = true;
  response.on("error", () => undefined); // a broken connection also closes, and that is heard below
  response.once("close", () => {
    open = false;
    for (const work of atEnd) work();
  });
  return {
    space,
    get open() {
      return open;
    },
    write(messages) {
      if (!open) return;
      response.write(messages);
      // Whoever reads this slowly resumes from the last message it has seen; memory is everyone's.
      if (response.writableLength > LIMITS.STREAM_BUFFERED_BYTES) response.destroy();
    },
    drained() {
      if (!open || !response.writableNeedDrain) return Promise.resolve();
      return new Promise((resolve) => {
        response.once("drain", resolve);
        response.once("close", () => resolve());
      });
    },
    onEnd: (work) => void atEnd.push(work),
    end: () => void response.end(),
  };
}

function keepAlive(clock: Clock, stream: Stream, heartbeat: string, stillMay: () => Promise<boolean>): void {
  const beat = async () => {
    if (!stream.open) return;
    if (!(await stillMay())) return stream.end();
    stream.write(heartbeat);
    cancel = clock.after(LIMITS.STREAM_HEARTBEAT_MS, () => void beat());
  };
  let cancel = clock.after(LIMITS.STREAM_HEARTBEAT_MS, () => void beat());
  stream.onEnd(() => cancel());
}
