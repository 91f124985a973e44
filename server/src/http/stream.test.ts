import { once } from "node:events";
import { request } from "node:http";
import fastify from "fastify";
import { afterAll, expect, test } from "vitest";
import { eventually } from "../../../test/support/eventually.ts";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import { createStreams, message, type Stream } from "./stream.ts";

/** A clock whose timers ring when they are told to. */
function handClock() {
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

/** A server with one stream, whose reader reads only where asked to. */
async function open(stillMay = async () => true) {
  const { clock, ring } = handClock();
  const streams = createStreams(clock, stillMay);
  const app = fastify();
  let made: (stream: Stream) => void;
  const stream = new Promise<Stream>((resolve) => {
    made = resolve;
  });
  app.decorateRequest("who");
  app.get("/", async (asked, reply) => {
    asked.who = { kind: "key", space: "s", id: "k", name: "n", scope: "read" };
    made(streams.begin(asked, reply));
  });
  await app.listen({ port: 0 });
  afterAll(() => {
    streams.endAll();
    return app.close();
  });
  const asked = request({ port: (app.server.address() as { port: number }).port }).end();
  const [response] = await once(asked, "response");
  afterAll(() => asked.destroy());
  return { stream: await stream, streams, response, ring };
}

test("a viewer who does not read is dropped before it costs more than its bound", async () => {
  const { stream, streams } = await open();
  const text = message({ data: "x".repeat(65_536) });
  let written = 0;
  while (stream.open && written < 1_000) {
    stream.write(text);
    written += 1;
    if (written % 16 === 0) await new Promise(setImmediate);
  }
  await eventually(() => expect(stream.open).toBe(false));
  // What the two sockets hold is the system's; ours is at most the bound and one message.
  expect(written * text.length).toBeLessThan(LIMITS.STREAM_BUFFERED_BYTES + 16 * 1_048_576);
  expect(streams.count).toBe(0);
});

test("a silent stream says that it is still there, and ends with the key that opened it", async () => {
  let may = true;
  const { stream, response, ring } = await open(async () => may);
  const read: string[] = [];
  response.setEncoding("utf8").on("data", (chunk: string) => read.push(chunk));
  ring();
  await eventually(() => expect(read.join("")).toContain(": still here\n\n"));
  may = false;
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
