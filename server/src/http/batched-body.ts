import type { IncomingMessage } from "node:http";
import { finished } from "node:stream";
import { noteChunk, WRITE_BYTES } from "../videos/upload-chunks.ts";

/**
 * Returns the request's body as a web stream of a few large chunks: all bytes that arrive while the previous chunk is
 * being written become one chunk. Every chunk of a web stream creates several promises, and without batching, thousands
 * of 64 kB chunks would arrive per second.
 */
export function batchedBody(request: IncomingMessage): ReadableStream<Uint8Array> {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let finish: { error?: Error | null | undefined } | null = null;
  let wake = () => {};
  request.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    noteChunk(chunk.length);
    if (bytes >= WRITE_BYTES) request.pause();
    wake();
  });
  finished(request, { writable: false }, (error) => {
    finish = { error };
    wake();
  });
  return new ReadableStream(
    {
      async pull(controller) {
        if (bytes === 0 && finish === null) {
          const more = Promise.withResolvers<void>();
          wake = more.resolve;
          await more.promise;
        }
        if (bytes > 0) {
          controller.enqueue(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes));
          [chunks, bytes] = [[], 0];
          request.resume();
        } else if (finish?.error) controller.error(finish.error);
        else controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}
