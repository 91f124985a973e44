/**
 * Compares the engine's whole path, delivering to 1,000 webhooks on 1,000 hosts over open connections, to a bare loop
 * that posts to the same hosts.
 */
import { startProgram } from "./lib/processes.ts";
import { count, report } from "./lib/report.ts";
import { addressOf } from "./lib/sink.ts";
import { newEvent, startEngine } from "./lib/start-engine.ts";
import { registerMany } from "./lib/traffic.ts";
import { alternate, bare, whole } from "./lib/whole-path.ts";

const HOSTS = Number(process.env.HOSTS ?? 1_000);

const sink = await startProgram("bare-sink.ts", { HOSTS: String(HOSTS) });
const { port } = new URL(sink.url);
const urls = Array.from({ length: HOSTS }, (_, host) => `http://${addressOf(host)}:${port}/webhooks`);
const engine = await startEngine();
const webhooks = await registerMany(engine, HOSTS, (number) => urls[number]!);

const run = () => whole(engine, 1, (number) => engine.recorder.recordAlone(newEvent(webhooks[number % HOSTS]!.space)));
const baseline = () => bare(engine, urls);
await run(); // warm-up
await baseline();
const what = `whole path, group commit, ${count(HOSTS)} webhooks on ${count(HOSTS)} hosts`;
report("hosts", [await alternate(what, { run, baseline, atLeast: 0.4 })]);
await engine.end();
await sink.end();
