/** 1,000 webhooks on 1,000 hosts, each with a warm connection, against the bare loop over the same hosts. */
import { newEvent, startEngine } from "./lib/engine.ts";
import { bare, compare, whole } from "./lib/path.ts";
import { startBare } from "./lib/processes.ts";
import { report } from "./lib/report.ts";
import { registerMany } from "./lib/traffic.ts";

const HOSTS = Number(process.env.HOSTS ?? 1_000);

const sink = await startBare("bench/lib/bare-sink.ts", { HOSTS: String(HOSTS) });
const { port } = new URL(sink.url);
const urls = Array.from({ length: HOSTS }, (_, host) => `http://127.1.${host >> 8}.${host & 255}:${port}/webhooks`);
const engine = await startEngine();
const webhooks = await registerMany(engine, HOSTS, (number) => urls[number]!);

const run = () => whole(engine, 1, (number) => engine.recorder.record(newEvent(webhooks[number % HOSTS]!.space)));
const against = () => bare(engine, urls);
await run(); // warm
await against();
const what = `whole path, shared commits, ${HOSTS.toLocaleString("en")} webhooks on as many hosts`;
report("hosts", [await compare({ what, target: 0.4, run, against })]);
await engine.end();
await sink.end();
