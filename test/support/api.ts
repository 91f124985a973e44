import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { createApiKeys } from "../../server/src/auth/api-keys.ts";
import { createPeople } from "../../server/src/auth/people.ts";
import { createSpaces } from "../../server/src/auth/spaces.ts";
import { createCancellations } from "../../server/src/delivery/cancellations.ts";
import { createDeliveries } from "../../server/src/delivery/deliveries.ts";
import { createReplays } from "../../server/src/delivery/replays.ts";
import { createErasures } from "../../server/src/events/erasures.ts";
import { createEvents } from "../../server/src/events/events.ts";
import { createHttp } from "../../server/src/http/http.ts";
import { systemClock } from "../../server/src/kernel/clock.ts";
import { LIMITS } from "../../server/src/kernel/limits.ts";
import { createLog } from "../../server/src/kernel/log.ts";
import { systemRandom } from "../../server/src/kernel/random.ts";
import { uuidV7 } from "../../server/src/kernel/uuid.ts";
import { createMetrics } from "../../server/src/ops/metrics.ts";
import type { Database } from "../../server/src/store/db.ts";
import { insertSpace } from "../../server/src/store/spaces.ts";
import { createLocalBlobs } from "../../server/src/videos/blobs.ts";
import { openFolders } from "../../server/src/videos/folders.ts";
import { createLibrary } from "../../server/src/videos/library.ts";
import { createUploads } from "../../server/src/videos/upload.ts";
import { Health } from "../../server/src/webhooks/health.ts";
import { engineParts, PUBLIC_URL } from "./engine.ts";

export { PUBLIC_URL };

/** Starts the complete API in this process, but does not deliver events. */
export async function testApi(db: Database) {
  const dataDir = await mkdtemp(join(tmpdir(), "mave-api-"));
  afterAll(() => rm(dataDir, { recursive: true, force: true }));
  const engine = await engineParts(db);
  const parts = {
    ...engine,
    clock: systemClock,
    random: systemRandom,
    log: createLog("silent"),
    publicUrl: PUBLIC_URL,
  };
  const folders = await openFolders(dataDir);
  const blobs = createLocalBlobs({ folder: folders.media });
  const people = createPeople({ ...parts, cookieKey: Buffer.alloc(32, 3) });
  await people.prepare();
  const apiKeys = createApiKeys(parts);
  const health = new Health(parts);
  const missed = new Set<() => void>();
  const http = await createHttp({
    ...parts,
    live: {
      on: parts.signals.on,
      onMissed(listener) {
        missed.add(listener);
        return () => missed.delete(listener);
      },
    },
    version: "0.0.0",
    hasApiRole: true,
    trustProxy: false,
    metricsToken: null,
    retention_days: 30,
    uploadMaxBytes: LIMITS.UPLOAD_BYTES_MAX,
    ffmpeg: { available: false, version: null, hint: "none in this test" },
    metrics: createMetrics({ ...engine, roles: new Set(["api"]), delivery: null }),
    apiKeys,
    people,
    spaces: createSpaces({ db }),
    library: createLibrary({ ...parts, blobs }),
    uploads: createUploads({ ...parts, folders, maxBytes: LIMITS.UPLOAD_BYTES_MAX }),
    blobs,
    health: (space, id) => health.get(space, id),
    events: createEvents({ db }),
    deliveries: createDeliveries({ ...parts, retries: 9 }),
    replays: createReplays(parts),
    cancellations: createCancellations(parts),
    erasures: createErasures({ db }),
  });
  afterAll(() => http.close());
  const url = await http.app.listen({ port: 0, host: "127.0.0.1" });

  const key = async (scope: "read" | "write" = "write", space = engine.space) =>
    (await apiKeys.create(db, space, { name: `${scope} key`, scope, by: "a test" })).key;
  const keys = { write: await key(), read: await key("read") };

  return {
    ...parts,
    app: http.app,
    people,
    apiKeys,
    key,
    keys,
    async newSpace(): Promise<string> {
      const id = uuidV7(systemClock.now(), systemRandom);
      await insertSpace(db, id, "Another space");
      return id;
    },
    url,
    /** Reports that changes from other nodes may have been missed. */
    miss() {
      for (const listener of missed) listener();
    },
    /** Sends a request with the write key unless the headers override it. Empty headers are not sent. */
    async ask(method: Method, path: string, body?: unknown, headers: Record<string, string> = {}) {
      const all = {
        authorization: `Bearer ${keys.write}`,
        ...(body !== undefined && { "content-type": JSON_TYPE }),
        ...headers,
      };
      const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
      const text = body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body);
      const response = await fetch(`${url}${path}`, { method, headers: sent, body: text, redirect: "manual" });
      const responseText = await response.text();
      return { status: response.status, headers: response.headers, text: responseText, json: readJson(responseText) };
    },
  };
}

const JSON_TYPE = "application/json";
type Method = "GET" | "POST" | "PATCH" | "PUT" | "DELETE";

// biome-ignore lint/suspicious/noExplicitAny: the tests check the responses' shapes
function readJson(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
