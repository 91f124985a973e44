import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../server/src/clock.ts";
import { createDeliveryNode } from "../../server/src/delivery/node.ts";
import { RETRY_SCHEDULE_S } from "../../server/src/delivery/retry-schedule.ts";
import { createRecorder } from "../../server/src/events/record.ts";
import { createLog } from "../../server/src/log.ts";
import { createAddressPolicy } from "../../server/src/net/address-policy.ts";
import { createSafeClient } from "../../server/src/net/safe-client.ts";
import { systemRandom } from "../../server/src/random.ts";
import { createRetention } from "../../server/src/retention.ts";
import { createSignals } from "../../server/src/signals.ts";
import { openStore } from "../../server/src/store/open-store.ts";
import { Health } from "../../server/src/webhooks/health.ts";
import { createWebhooks } from "../../server/src/webhooks/registry.ts";
import { createVault } from "../../server/src/webhooks/secrets.ts";

export type Bench = Awaited<ReturnType<typeof startEngine>>;

/** The whole engine in this process on a fresh embedded PostgreSQL, with fsync as in production. */
export async function startEngine({ settings = {} }: { settings?: Record<string, string> } = {}) {
  void settings;
  const folder = await mkdtemp(join(tmpdir(), "mave-bench-"));
  const log = createLog("warn", false);
  const [clock, random, signals] = [systemClock, systemRandom, createSignals()];
  const store = await openStore({
    databaseUrl: null,
    dataDir: folder,
    log,
    onLost(why) {
      throw why;
    },
  });
  const { db } = store;
  await createRetention({ db, clock, log, days: 30 }).round();
  const vault = createVault([Buffer.alloc(32, 1)], random);
  const policy = createAddressPolicy({ allowHttp: true, allowNetworks: ["loopback"] });
  const client = createSafeClient({ policy, clock });
  const health = new Health({ db, clock, log });
  const node = createDeliveryNode({
    ...{ db, clock, random, log, signals, vault, client },
    version: "bench",
    schedule_s: RETRY_SCHEDULE_S,
    attempt_ms: 15_000,
    onAttempt: (ended) => health.note(ended),
  });
  await node.start();
  const recorder = createRecorder({ db, clock, random, signals, courier: node.courier });
  const parts = { db, recorder, policy, vault, clock, random, signals, publicUrl: "http://localhost" };
  const webhooks = createWebhooks(parts);
  const [space] = await db.run<{ id: string }>({ name: "bench_space", text: "select id from spaces limit 1" });
  return {
    ...{ db, client, node, recorder, webhooks, signals, space: space!.id },
    /** A space of its own for webhooks: an event is matched against all of its space. */
    async newSpace(): Promise<string> {
      const text = "insert into spaces (id, name) values (gen_random_uuid(), 'bench') returning id";
      return (await db.run<{ id: string }>({ name: "bench_new_space", text }))[0]!.id;
    },
    async end() {
      await node.drain(5_000);
      await client.close();
      await health.flush();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

let videos = 0;
/** About 560 bytes, as a video of few words. */
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
  return { space, type: "video.created" as const, video, sequence, data };
}
