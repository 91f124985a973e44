/**
 * The engine's whole path (record → send → settle, the attempt logged) against a bare sender loop: the same client
 * posting signed bytes to the same receiver, with no database. Segments of both alternate in one process.
 */
import { signatureHeaders } from "@mave/webhooks/node";
import { type Bench, newEvent, startEngine } from "./lib/engine.ts";
import { startBare } from "./lib/processes.ts";
import { median, perSecond, report, short } from "./lib/report.ts";

const SEGMENT_MS = Number(process.env.SEGMENT_MS ?? 4_000);
const PAIRS = Number(process.env.PAIRS ?? 3);
const CONCURRENCY = 64;
const SPACES = 16; // webhooks that share the work; each may have ten attempts under way

const sink = await startBare("bench/lib/bare-sink.ts");
const engine = await startEngine();
const spaces = await Promise.all(Array.from({ length: SPACES }, () => engine.newSpace()));

async function register(fanOut: number): Promise<void> {
  for (const space of spaces)
    for (let n = 0; n < fanOut; n++)
      await engine.webhooks.create(space, { url: `${sink.url}/${n}`, events: ["video.created"] });
}

/** @returns deliveries a second */
async function bare(): Promise<number> {
  const event = JSON.stringify({ id: "j3bw2jWb6q7aWGwChsgR86", object: "event", ...newEvent("") });
  const body = Buffer.from(event);
  const secrets = ["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"];
  const signed = signatureHeaders({ body, id: "j3bw2jWb6q7aWGwChsgR86", time: 1_643_723_823, secrets });
  const headers = { "Content-Type": "application/json", "User-Agent": "Mave-Webhooks/bench", ...signed };
  const begun = performance.now();
  let sent = 0;
  const work = async () => {
    while (performance.now() - begun < SEGMENT_MS) {
      await engine.client.send({ url: `${sink.url}/0`, headers, body, deadline_ms: 15_000 });
      sent += 1;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return (sent / (performance.now() - begun)) * 1000;
}

const delivered = ({ node }: Bench) => node.stats().attempts.succeeded;

/** Records `record` again and again, 64 at once, and waits until all of it is delivered and settled. */
async function whole(record: (space: string) => Promise<unknown>): Promise<number> {
  const [begun, before] = [performance.now(), delivered(engine)];
  let next = 0;
  const work = async () => {
    while (performance.now() - begun < SEGMENT_MS) await record(spaces[next++ % SPACES]!);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  await settled();
  return ((delivered(engine) - before) / (performance.now() - begun)) * 1000;
}

async function settled(): Promise<void> {
  for (;;) {
    const [row] = await engine.db.run<{ open: number }>({
      name: "bench_open",
      text: "select count(*)::int as open from open_deliveries",
    });
    if (row!.open === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const grouped = (space: string) => engine.recorder.record(newEvent(space));
const alone = (space: string) => engine.recorder.transaction((tx) => tx.record(newEvent(space)));

/** Everything is recorded first, its webhooks paused, then drained. */
async function backlog(): Promise<number> {
  const setStatus = (status: string) =>
    engine.db.run({ name: "bench_status", text: "update webhooks set status = $1, changed_at = now()" }, [status]);
  await setStatus("paused");
  const count = SEGMENT_MS * 8;
  const work = async (n: number) => {
    for (let left = n; left > 0; left--) await grouped(spaces[left % SPACES]!);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, () => work(count / CONCURRENCY)));
  const before = delivered(engine);
  const begun = performance.now();
  await setStatus("enabled");
  engine.signals.emit("webhook", { space: "", webhook: "2222222222222222222222" });
  for (const { id } of await engine.db.run<{ id: string }>({ name: "bench_webhooks", text: "select id from webhooks" }))
    engine.signals.emit("due", { webhook: id });
  await settled();
  return ((delivered(engine) - before) / (performance.now() - begun)) * 1000;
}

async function compare(what: string, target: number, run: () => Promise<number>) {
  const pairs: { bare: number; whole: number }[] = [];
  for (let pair = 0; pair < PAIRS; pair++) pairs.push({ bare: await bare(), whole: await run() });
  const ratio = median(pairs.map((pair) => pair.whole / pair.bare));
  return {
    what,
    measured: perSecond(median(pairs.map((pair) => pair.whole))),
    against: `${perSecond(median(pairs.map((pair) => pair.bare)))} bare`,
    ratio: short(ratio),
    target: `≥ ${target}`,
    holds: ratio >= target,
  };
}

await register(1);
await whole(grouped); // warm
await bare();
const lines = [
  await compare("whole path, shared commits, fan-out 1", 0.2, () => whole(grouped)),
  await compare("whole path, one transaction an event, fan-out 1", 0.1, () => whole(alone)),
  await compare("backlog drained, fan-out 1", 0.2, backlog),
];
await register(2);
lines.push(await compare("whole path, shared commits, fan-out 3", 0.2, () => whole(grouped)));
report("engine", lines);
await engine.end();
await sink.end();
