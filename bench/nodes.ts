/** Two processes that deliver against one, on one database: the same backlog drained, in turns. */
import { setTimeout as pause } from "node:timers/promises";
import { fillDue, forgetOpen } from "./lib/backlog.ts";
import { startDatabase, startEngine } from "./lib/engine.ts";
import { compare } from "./lib/path.ts";
import { startBare } from "./lib/processes.ts";
import { report } from "./lib/report.ts";
import { registerMany } from "./lib/traffic.ts";

const BACKLOG = Number(process.env.BACKLOG ?? 60_000);
const WEBHOOKS = 32;

const database = await startDatabase();
const recording = await startEngine({ url: database.url, deliver: false });
const sink = await startBare("bench/lib/bare-sink.ts");
const webhooks = await registerMany(recording, WEBHOOKS, () => sink.url);
const count = Math.floor(BACKLOG / WEBHOOKS) * WEBHOOKS;

const received = async () => Number(await (await fetch(sink.url)).text());

/** @returns deliveries a second, from the first to the last */
async function drain(nodes: number): Promise<number> {
  await recording.setStatus("paused");
  await fetch(`${sink.url}/arrivals`); // forgets them
  for (const { space, webhook } of webhooks) await fillDue(recording.db, space, webhook, count / WEBHOOKS);
  const env = { DATABASE_URL: database.url };
  const running = await Promise.all(Array.from({ length: nodes }, () => startBare("bench/lib/deliver-node.ts", env)));
  await recording.setStatus("enabled"); // found by the nodes' next poll
  while ((await received()) === 0) await pause(1);
  const begun = performance.now();
  while ((await received()) < count) await pause(20);
  const rate = (count / (performance.now() - begun)) * 1000;
  await Promise.all(running.map((node) => node.end()));
  await forgetOpen(recording.db);
  return rate;
}

await drain(1); // warm
const what = `two delivering processes, a backlog of ${count.toLocaleString("en")} drained`;
const line = await compare({ what, target: 1.6, run: () => drain(2), against: () => drain(1), name: "by one" });
report("nodes", [line]);
await recording.end();
await sink.end();
await database.end();
