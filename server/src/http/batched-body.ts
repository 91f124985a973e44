import type { IncomingMessage } from "node:http";
import { finished } from "node:stream";
import { noteChunk, WRITE_BYTES } from "../videos/upload-chunks.ts";

/**
 * Returns the request body as a web stream of a few large chunks. All bytes that arrive while one chunk is being
 * written form the next chunk. Without batching, thousands of 64 kB chunks would arrive per second, and a web stream
 * creates several promises for each of them.
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
