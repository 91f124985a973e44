import type { IncomingMessage } from "node:http";
import { finished } from "node:stream";
import { noteChunk, WRITE_BYTES } from "../videos/upload-chunks.ts";

/**
 * A request's body as a web stream of few large chunks: what arrived while the chunk before was on its way to the disk
 * goes on as one. Each chunk of a web stream costs several promises, and of 64 kB each there are thousands a second.
 */
export function gatheredBody(request: IncomingMessage): ReadableStream<Uint8Array> {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let over: { error?: Error | null | undefined } | null = null;
  let wake = () => {};
  request.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    noteChunk(chunk.length);
    if (bytes >= WRITE_BYTES) request.pause();
    wake();
  });
  finished(request, { writable: false }, (error) => {
    over = { error };
    wake();
  });
  return new ReadableStream(
    {
      async pull(controller) {
        if (bytes === 0 && over === null) {
          const more = Promise.withResolvers<void>();
          wake = more.resolve;
          await more.promise;
        }
        if (bytes > 0) {
          controller.enqueue(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes));
          [chunks, bytes] = [[], 0];
          request.resume();
        } else if (over?.error) controller.error(over.error);
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}
