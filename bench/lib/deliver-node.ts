/** A node that only delivers, as a process of its own on a given database. It says when it takes work, and ends by a signal. */
import { createServer } from "node:http";
import { startEngine } from "./engine.ts";

const engine = await startEngine({ url: process.env.DATABASE_URL! });
createServer((_request, response) => response.end(JSON.stringify(engine.node.stats()))).listen(
  Number(process.env.PORT),
  "127.0.0.1",
);
