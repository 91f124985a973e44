/**
 * Compares `POST /v1/videos`, which durably saves a video and its event, with a bare Fastify route that validates the
 * same schema.
 */
import { startServer } from "../test/support/server.ts";
import { generateLoad } from "./lib/client.ts";
import { startProgram } from "./lib/processes.ts";
import { compare, type Pair, perSecond, report } from "./lib/report.ts";

const SEGMENT_MS = 3_000;
const PAIRS = 5;
const CONCURRENCY = 64;

const mave = await startServer();
const bare = await startProgram("bare-api.ts");
const body = JSON.stringify({ name: "A video", metadata: { course: "biology-101", author: "37" } });
const keys = [await mave.key(), await mave.key(), await mave.key(), await mave.key()];
const rate = (url: string, duration_ms = SEGMENT_MS) =>
  generateLoad(url, { path: "/v1/videos", keys, body }, CONCURRENCY, duration_ms);
for (const { url } of [bare, mave]) await rate(url, 1_000); // warm-up

const pairs: Pair[] = [];
for (let pair = 0; pair < PAIRS; pair++) pairs.push({ baseline: await rate(bare.url), value: await rate(mave.url) });
report("api", [
  compare(`\`POST /v1/videos\`, ${CONCURRENCY} concurrent requests`, pairs, {
    format: perSecond,
    label: "with a bare Fastify route",
    atLeast: 0.2,
  }),
]);
await bare.end();
await mave.remove();
