/** Measures the database's CPU time and write-ahead log per delivery, and reports the most expensive statements. */
import { cpuOf, startProgram } from "./lib/processes.ts";
import { count, median, report } from "./lib/report.ts";
import { newEvent, startDatabase, startEngine } from "./lib/start-engine.ts";
import { registerMany } from "./lib/traffic.ts";
import { delivered, PAIRS, whole } from "./lib/whole-path.ts";

const SPACES = 16;

const database = await startDatabase({ shared_preload_libraries: "pg_stat_statements" });
const engine = await startEngine({ url: database.url });
const sink = await startProgram("bare-sink.ts");
const webhooks = await registerMany(engine, SPACES, () => sink.url);
const query = async <Row>(name: string, text: string) => engine.db.run<Row>({ name: `bench_${name}`, text });
const wal = async () =>
  (await query<{ at: number }>("wal", "select (pg_current_wal_lsn() - '0/0')::float8 as at"))[0]!.at;
const run = () => whole(engine, 1, (number) => engine.recorder.recordAlone(newEvent(webhooks[number % SPACES]!.space)));

await query("extension", "create extension pg_stat_statements");
await run(); // warm-up
await query("reset", "select pg_stat_statements_reset()");
const deliveredBefore = delivered(engine);
const segments: { cpu_us: number; node_us: number; wal_bytes: number }[] = [];
for (let segment = 0; segment < PAIRS; segment++) {
  const [cpu, own, written, before] = [cpuOf(database.pid), process.cpuUsage(), await wal(), delivered(engine)];
  await run();
  const [made, used] = [delivered(engine) - before, process.cpuUsage(own)];
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

/** The three most expensive kinds of statements. */
const causes = await query<Cause>(
  "causes",
  `select what, sum(us) as us, sum(bytes) as bytes from (
     select case when query like '%insert into attempts%' then 'settling (delete, attempt, history)'
         when query like '%insert into pending_deliveries%' then 'recording (event, pending delivery)'
         when query like '%update pending_deliveries o set attempt%' then 'claiming'
         when query in ('begin', 'commit') then 'begin and commit' else 'everything else' end as what,
       total_exec_time * 1000 as us, wal_bytes::float8 as bytes from pg_stat_statements) as statement
   group by what order by us desc limit 3`,
);
const deliveries = delivered(engine) - deliveredBefore;
const middle = (name: keyof (typeof segments)[number]) =>
  count(Math.round(median(segments.map((segment) => segment[name]))));
report("database", [
  { what: "PostgreSQL's CPU time per delivery", measured: `${middle("cpu_us")} µs` },
  { what: "the server's CPU time per delivery", measured: `${middle("node_us")} µs` },
  { what: "write-ahead log per delivery", measured: `${middle("wal_bytes")} bytes` },
  ...causes.map(({ what, us, bytes }) => ({
    what: `of which ${what}`,
    measured: `${Math.round(us / deliveries)} µs of execution time, ${count(Math.round(bytes / deliveries))} bytes`,
  })),
]);
await engine.end();
await sink.end();
await database.end();
