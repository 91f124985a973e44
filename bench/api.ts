/** POST /v1/videos, durable and with its event, against a bare Fastify route that validates the same schema. */
import { startServer } from "../test/support/server.ts";
import { shoot } from "./lib/load.ts";
import { startBare } from "./lib/processes.ts";
import { median, perSecond, report, short } from "./lib/report.ts";

const SEGMENT_MS = 3_000;
const PAIRS = 5;
const CONCURRENCY = 64;

const mave = await startServer();
const bare = await startBare("bench/lib/bare-api.ts");
const body = JSON.stringify({ name: "A video", metadata: { course: "biology-101", author: "37" } });
const keys = [await mave.key(), await mave.key(), await mave.key(), await mave.key()];
const shot = { path: "/v1/videos", keys, body };
await shoot(bare.url, shot, CONCURRENCY, 1_000);
await shoot(mave.url, shot, CONCURRENCY, 1_000);

const pairs: { bare: number; mave: number }[] = [];
for (let pair = 0; pair < PAIRS; pair++) {
  pairs.push({
    bare: await shoot(bare.url, shot, CONCURRENCY, SEGMENT_MS),
    mave: await shoot(mave.url, shot, CONCURRENCY, SEGMENT_MS),
  });
}
const ratio = median(pairs.map((pair) => pair.mave / pair.bare));
report("api", [
  {
    what: "`POST /v1/videos`, 64 at once",
    measured: perSecond(median(pairs.map((pair) => pair.mave))),
    against: `${perSecond(median(pairs.map((pair) => pair.bare)))} by a bare Fastify route`,
    ratio: short(ratio),
    target: "≥ 0.2",
    holds: ratio >= 0.2,
  },
]);
await bare.end();
await mave.remove();
