/** A node that only delivers. It runs in its own process, serves its statistics over HTTP, and is stopped by a signal. */
import { createServer } from "node:http";
import { startEngine } from "./start-engine.ts";

const engine = await startEngine({ url: process.env.DATABASE_URL! });
createServer((_request, response) => response.end(JSON.stringify(engine.node.stats()))).listen(
  Number(process.env.PORT),
  "127.0.0.1",
);
