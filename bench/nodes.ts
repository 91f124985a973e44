/**
 * Compares the rate of two delivering processes to that of a single one on the same database. Two processes and a
 * single process take turns draining backlogs of the same size.
 */
import { setTimeout as pause } from "node:timers/promises";
import { fillDue, removePending } from "./lib/fill-tables.ts";
import { startProgram } from "./lib/processes.ts";
import { count, report } from "./lib/report.ts";
import { startDatabase, startEngine } from "./lib/start-engine.ts";
import { registerMany } from "./lib/traffic.ts";
import { alternate } from "./lib/whole-path.ts";

const WEBHOOKS = 32;
const PER_WEBHOOK = Math.floor(Number(process.env.BACKLOG ?? 60_000) / WEBHOOKS);
const BACKLOG = PER_WEBHOOK * WEBHOOKS;

const database = await startDatabase();
const recording = await startEngine({ url: database.url, deliver: false });
const sink = await startProgram("bare-sink.ts");
const webhooks = await registerMany(recording, WEBHOOKS, () => sink.url);

const received = async () => Number(await (await fetch(sink.url)).text());

/** Drains a backlog with `nodes` processes. @returns deliveries per second between the first and the last arrival */
async function drain(nodes: number): Promise<number> {
  await recording.setStatus("paused");
  await fetch(`${sink.url}/reset`);
  for (const { space, webhook } of webhooks) await fillDue(recording.db, space, webhook, PER_WEBHOOK);
  const env = { DATABASE_URL: database.url };
  const running = await Promise.all(Array.from({ length: nodes }, () => startProgram("deliver-node.ts", env)));
  await recording.setStatus("enabled"); // the nodes see the change at their next poll
  while ((await received()) === 0) await pause(1);
  const begin = performance.now();
  while ((await received()) < BACKLOG) await pause(20);
  const rate = (BACKLOG / (performance.now() - begin)) * 1000;
  await Promise.all(running.map((node) => node.end()));
  await removePending(recording.db);
  return rate;
}

await drain(1); // warm-up
const what = `two delivering processes draining a backlog of ${count(BACKLOG)}`;
const row = await alternate(what, {
  run: () => drain(2),
  baseline: () => drain(1),
  label: "with one process",
  atLeast: 1.6,
});
report("nodes", [row]);
await recording.end();
await sink.end();
await database.end();
