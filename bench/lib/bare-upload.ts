/** The baseline for uploads: a Node server that writes the request body to a file and syncs it. */
import { createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { createServer } from "node:http";
import { pipeline } from "node:stream/promises";

let files = 0;
createServer(async (request, response) => {
  if (request.method === "PUT") {
    // Write a new file each time. Overwriting one would free its pages, and writing to recently freed pages is faster.
    const file = `${process.env.FILE}-${++files}`;
    await pipeline(request, createWriteStream(file));
    const handle = await open(file, "r+");
    await handle.datasync();
    await handle.close();
  }
  response.writeHead(204).end();
}).listen(Number(process.env.PORT), "127.0.0.1");
