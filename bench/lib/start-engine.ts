import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createDeliveryNode } from "../../server/src/delivery/node.ts";
import { RETRY_SCHEDULE_S } from "../../server/src/delivery/retry-schedule.ts";
import { createRecorder } from "../../server/src/events/record.ts";
import { systemClock } from "../../server/src/kernel/clock.ts";
import { createLog } from "../../server/src/kernel/log.ts";
import { systemRandom } from "../../server/src/kernel/random.ts";
import { shortUuid } from "../../server/src/kernel/short-uuid.ts";
import { createSignals } from "../../server/src/kernel/signals.ts";
import { Watchdog } from "../../server/src/kernel/watchdog.ts";
import { createAddressPolicy } from "../../server/src/net/address-policy.ts";
import { createSafeClient } from "../../server/src/net/safe-client.ts";
import { createRetention } from "../../server/src/ops/retention.ts";
import { startEmbeddedPostgres } from "../../server/src/store/embedded-postgres.ts";
import { openStore } from "../../server/src/store/open-store.ts";
import { Health } from "../../server/src/webhooks/health.ts";
import { createWebhooks } from "../../server/src/webhooks/registry.ts";
import { createVault } from "../../server/src/webhooks/secrets.ts";
import { removeDataFolder } from "../../test/support/server.ts";

export type Bench = Awaited<ReturnType<typeof startEngine>>;

export interface BenchDatabase {
  /** A DATABASE_URL. */
  url: string;
  /** The postmaster's process id. */
  pid: number;
  end(): Promise<void>;
}

/**
 * Starts an empty embedded PostgreSQL, with fsync on as in production.
 * @param settings additional PostgreSQL settings
 */
export async function startDatabase(settings: Record<string, string> = {}): Promise<BenchDatabase> {
  const folder = await mkdtemp(join(tmpdir(), "mave-bench-"));
  const postgres = await startEmbeddedPostgres({ folder, log: createLog("warn", false), onLost, settings });
  const { host, user, database } = postgres.connection;
  const pid = await readFile(join(folder, "postgres/cluster/postmaster.pid"), "utf8");
  process.once("exit", () => end(Number.parseInt(pid, 10))); // in case the bench fails before it ends PostgreSQL
  return {
    url: `postgres:///${database}?host=${encodeURIComponent(host)}&user=${user}`,
    pid: Number.parseInt(pid, 10),
    async end() {
      await postgres.end();
      await removeDataFolder(folder);
    },
  };
}

function end(postmaster: number): void {
  try {
    process.kill(postmaster, "SIGQUIT");
  } catch {
    // PostgreSQL has already exited
  }
}

function onLost(why: Error): never {
  throw why;
}

/** Starts the delivery engine in this process, on the given database or on a new one. */
export async function startEngine({ url, deliver = true }: { url?: string; deliver?: boolean } = {}) {
  const database = url === undefined ? await startDatabase() : null;
  const databaseUrl = url ?? database!.url;
  const log = createLog("warn", false);
  const [clock, random, signals] = [systemClock, systemRandom, createSignals()];
  const store = await openStore({ databaseUrl, dataDir: "", log, onLost });
  const { db } = store;
  const watchdog = new Watchdog(clock);
  await createRetention({ db, clock, log, watchdog, days: 30 }).round();
  const vault = createVault([Buffer.alloc(32, 1)], random);
  const policy = createAddressPolicy({ allowHttp: true, allowNetworks: ["loopback"] });
  const client = createSafeClient({ policy, clock, random });
  const health = new Health({ db, clock, log });
  const node = createDeliveryNode({
    ...{ db, clock, random, log, watchdog, signals, vault, client },
    version: "bench",
    schedule_s: RETRY_SCHEDULE_S,
    attempt_ms: 15_000,
    onAttempt: (ended) => health.note(ended),
  });
  if (deliver) await node.start();
  const recorder = createRecorder({ db, clock, random, signals, ...(deliver && { dispatcher: node.dispatcher }) });
  const parts = { db, recorder, policy, vault, clock, random, signals };
  const webhooks = createWebhooks(parts);
  const [space] = await db.run<{ id: string }>({ name: "bench_space", text: "select id from spaces limit 1" });
  return {
    ...{ db, client, node, recorder, webhooks, signals, clock, random, log, watchdog, database, space: space!.id },
    /** Creates a space. Each event is delivered to all matching webhooks in its space. */
    async newSpace(): Promise<string> {
      const text = "insert into spaces (id, name) values (gen_random_uuid(), 'bench') returning id";
      return (await db.run<{ id: string }>({ name: "bench_new_space", text }))[0]!.id;
    },
    /** Sets the status of all webhooks and notifies the dispatcher. */
    async setStatus(status: "enabled" | "paused"): Promise<void> {
      const text = "update webhooks set status = $1, changed_at = now() returning id";
      for (const { id } of await db.run<{ id: string }>({ name: "bench_status", text }, [status]))
        signals.emit("webhook", { space: "", webhook: shortUuid(id) });
    },
    async end() {
      await node.drain(5_000);
      await client.close();
      await health.flush();
      await store.close();
      await database?.end();
    },
  };
}

/** Resolves when this process has no attempts in flight and nothing left to settle. */
export async function idle({ node }: Pick<Bench, "node">): Promise<void> {
  for (;;) {
    const { inFlight, slow, queued, unsettled } = node.stats();
    if (inFlight + slow + queued + unsettled === 0) return;
    await pause(5);
  }
}

let videos = 0;
/** Returns a new event of about 560 bytes, the size of a typical video event. */
export function newEvent(space: string, sequence = 1, video = `V${String(++videos).padStart(9, "0")}`) {
  const data = {
    id: video,
    object: "video",
    created: 1_643_723_737,
    embed_url: `https://videos.example.com/${video}`,
    last_upload: null,
    name: "Lecture 12: the cell membrane",
    status: "waiting",
    progress: null,
    error: null,
    duration: null,
    width: null,
    height: null,
    size: null,
    poster_url: null,
    playback_url: null,
    renditions: [],
    metadata: { course: "biology-101", author: "37" },
  };
  return { space, type: "video.created" as const, video, sequence, since_s: Math.floor(Date.now() / 1000), data };
}
