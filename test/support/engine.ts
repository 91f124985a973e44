import { createSendTest, type SendTest } from "../../server/src/delivery/test-event.ts";
import { createRecorder, type LocalDispatcher, type Recorder } from "../../server/src/events/record.ts";
import { systemClock } from "../../server/src/kernel/clock.ts";
import type { EventType } from "../../server/src/kernel/event-catalog.ts";
import { systemRandom } from "../../server/src/kernel/random.ts";
import { createSignals, type Signals } from "../../server/src/kernel/signals.ts";
import { Watchdog } from "../../server/src/kernel/watchdog.ts";
import type { Database } from "../../server/src/store/db.ts";
import { createWebhooks, type Webhooks } from "../../server/src/webhooks/registry.ts";
import { createVault, type Vault } from "../../server/src/webhooks/secrets.ts";

/** The engine without a dispatcher, for tests that act as the dispatcher themselves. */
export interface EngineParts {
  db: Database;
  space: string;
  signals: Signals;
  vault: Vault;
  recorder: Recorder;
  webhooks: Webhooks;
  sendTest: SendTest;
  watchdog: Watchdog;
}

export const PUBLIC_URL = "http://videos.example.com";

/** Accepts every URL, because the address policy has its own tests. */
const anyUrl = { checkUrl: (url: string) => ({ ok: true as const, url: new URL(url) }) };

export async function engineParts(
  db: Database,
  dispatcher?: LocalDispatcher,
  signals: Signals = createSignals(),
): Promise<EngineParts> {
  const vault = createVault([Buffer.alloc(32, 7)], systemRandom);
  const recorder = createRecorder({
    db,
    clock: systemClock,
    random: systemRandom,
    signals,
    ...(dispatcher ? { dispatcher } : {}),
  });
  const common = { db, recorder, vault, clock: systemClock, random: systemRandom, signals };
  const webhooks = createWebhooks({ ...common, policy: anyUrl });
  const sendTest = createSendTest({ ...common, publicUrl: PUBLIC_URL });
  const [space] = await db.run<{ id: string }>({ name: "test_space", text: "select id from spaces limit 1" });
  const watchdog = new Watchdog(systemClock);
  return { db, space: space!.id, signals, vault, recorder, webhooks, sendTest, watchdog };
}

/** Records a video's next event. Inserts the video's row first if needed. */
export async function happen(
  { db, recorder, space }: Pick<EngineParts, "db" | "recorder" | "space">,
  video: string,
  type: EventType = "video.created",
): Promise<string> {
  return db.transaction(async (tx) => {
    const [row] = await tx.run<{ sequence: number }>(count, [space, video]);
    const { sequence } = row!;
    const data = { id: video, object: "video", created: 1, embed_url: `${PUBLIC_URL}/${video}`, last_upload: null };
    return (await recorder.record(tx, { space, type, video, sequence, data })).id;
  });
}

const count = {
  name: "test_video_count",
  text: `insert into videos (space_id, id, last_sequence) values ($1, $2, 1)
    on conflict (space_id, id) do update set last_sequence = videos.last_sequence + 1 returning last_sequence as sequence`,
};
