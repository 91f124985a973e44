/** What a delivery costs the database: CPU and write-ahead log, and what causes most of both. */

import { cpuOf } from "./lib/cpu.ts";
import { newEvent, startDatabase, startEngine } from "./lib/engine.ts";
import { delivered, PAIRS, whole } from "./lib/path.ts";
import { startBare } from "./lib/processes.ts";
import { type Line, median, report } from "./lib/report.ts";
import { registerMany } from "./lib/traffic.ts";

const SPACES = 16;

const database = await startDatabase({ shared_preload_libraries: "pg_stat_statements" });
const engine = await startEngine({ url: database.url });
const sink = await startBare("bench/lib/bare-sink.ts");
const webhooks = await registerMany(engine, SPACES, () => sink.url);
const ask = async <Row>(name: string, text: string) => engine.db.run<Row>({ name: `bench_${name}`, text });
const wal = async () =>
  (await ask<{ at: number }>("wal", "select (pg_current_wal_lsn() - '0/0')::float8 as at"))[0]!.at;
const run = () => whole(engine, 1, (number) => engine.recorder.record(newEvent(webhooks[number % SPACES]!.space)));

await ask("extension", "create extension pg_stat_statements");
await run(); // warm
await ask("reset", "select pg_stat_statements_reset()");
const total = delivered(engine);
const segments: { cpu_us: number; node_us: number; wal_bytes: number }[] = [];
for (let segment = 0; segment < PAIRS; segment++) {
  const [cpu, own, written, count] = [cpuOf(database.pid), process.cpuUsage(), await wal(), delivered(engine)];
  await run();
  const [made, used] = [delivered(engine) - count, process.cpuUsage(own)];
  segments.push({
    cpu_us: ((cpuOf(database.pid) - cpu) * 1000) / made,
    node_us: (used.user + used.system) / made,
    wal_bytes: ((await wal()) - written) / made,
  });
}

interface Cause {
  what: string;
  us: number;
  bytes: number;
}

/** Statements by their first inserted or updated table, per delivery. */
const causes = await ask<Cause>(
  "causes",
  `select what, sum(us) as us, sum(bytes) as bytes from (
     select case when query like '%insert into attempts%' then 'settle: delete, attempt, history'
         when query like '%insert into pending_deliveries%' then 'record: event, open delivery'
         when query like '%update pending_deliveries o set attempt%' then 'claim'
         when query in ('begin', 'commit') then 'begin and commit' else 'all else' end as what,
       total_exec_time * 1000 as us, wal_bytes::float8 as bytes from pg_stat_statements) as statement
   group by what order by us desc limit 3`,
);
const each = delivered(engine) - total;
const line = (what: string, measured: string): Line => ({ what, measured, target: "shown", holds: true });
const middle = (name: keyof (typeof segments)[number]) => Math.round(median(segments.map((one) => one[name])));
report("database", [
  line("PostgreSQL's CPU a delivery", `${middle("cpu_us")} µs`),
  line("this server's CPU a delivery", `${middle("node_us")} µs`),
  line("write-ahead log a delivery", `${middle("wal_bytes").toLocaleString("en")} bytes`),
  ...causes.map(({ what, us, bytes }) =>
    line(
      `of these: ${what}`,
      `${Math.round(us / each)} µs running, ${Math.round(bytes / each).toLocaleString("en")} bytes`,
    ),
  ),
]);
await engine.end();
await sink.end();
await database.end();
