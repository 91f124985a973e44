import { once } from "node:events";
import { request } from "node:http";
import fastify from "fastify";
import { afterAll, expect, test } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import { createStreams, message, type Stream } from "./server-sent-events.ts";

/** Returns a clock whose timers run only when `ring` is called. */
function manualClock() {
  const timers = new Set<() => void>();
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    after(_delay, work) {
      timers.add(work);
      return () => timers.delete(work);
    },
  };
  const ring = () => {
    const due = [...timers];
    timers.clear();
    for (const work of due) work();
  };
  return { clock, ring };
}

/** Starts a server with one stream, and a client that does not read until the test does so. */
async function open(isAuthenticated = async () => true) {
  const { clock, ring } = manualClock();
  const streams = createStreams(clock, isAuthenticated);
  const app = fastify();
  let resolveStream: (stream: Stream) => void;
  const stream = new Promise<Stream>((resolve) => {
    resolveStream = resolve;
  });
  app.decorateRequest("who");
  app.get("/", async (request, reply) => {
    request.who = { kind: "key", space: "s", id: "k", name: "n", scope: "read" };
    resolveStream(streams.begin(request, reply));
  });
  await app.listen({ port: 0 });
  afterAll(() => {
    streams.endAll();
    return app.close();
  });
  const client = request({ port: (app.server.address() as { port: number }).port }).end();
  const [response] = await once(client, "response");
  afterAll(() => client.destroy());
  return { stream: await stream, streams, response, ring };
}

test("a client that does not read is disconnected once its buffer is full", async () => {
  const { stream, streams } = await open();
  const text = message({ data: "x".repeat(65_536) });
  let written = 0;
  while (stream.open && written < 1_000) {
    stream.write(text);
    written += 1;
    if (written % 16 === 0) await new Promise(setImmediate);
  }
  await eventually(() => expect(stream.open).toBe(false));
  // Part of this is in the operating system's two socket buffers; our own buffer holds at most the limit plus one
  // message.
  expect(written * text.length).toBeLessThan(LIMITS.STREAM_BUFFERED_BYTES + 16 * 1_048_576);
  expect(streams.count).toBe(0);
});

test("an idle stream sends heartbeats and ends when its key becomes invalid", async () => {
  let isValid = true;
  const { stream, response, ring } = await open(async () => isValid);
  const read: string[] = [];
  response.setEncoding("utf8").on("data", (chunk: string) => read.push(chunk));
  ring();
  await eventually(() => expect(read.join("")).toContain(": heartbeat\n\n"));
  isValid = false;
  ring();
  await eventually(() => expect(stream.open).toBe(false));
});

test("writing to a stream that has ended does nothing", async () => {
  const { stream, response } = await open();
  response.destroy();
  await eventually(() => expect(stream.open).toBe(false));
  expect(() => stream.write(message({ data: "late" }))).not.toThrow();
  await stream.drained();
});
