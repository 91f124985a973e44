import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect } from "vitest";
import { createApiKeys } from "../../server/src/auth/api-keys.ts";
import { createRecorder } from "../../server/src/events/record.ts";
import { createHttp, type Http, type HttpParts } from "../../server/src/http/http.ts";
import { createTusHandler } from "../../server/src/http/tus.ts";
import { systemClock } from "../../server/src/kernel/clock.ts";
import { LIMITS } from "../../server/src/kernel/limits.ts";
import { createLog } from "../../server/src/kernel/log.ts";
import { systemRandom } from "../../server/src/kernel/random.ts";
import { createSignals } from "../../server/src/kernel/signals.ts";
import { Watchdog } from "../../server/src/kernel/watchdog.ts";
import type { Database } from "../../server/src/store/db.ts";
import { createLocalBlobs } from "../../server/src/videos/blobs.ts";
import { type Ffmpeg, findFfmpeg } from "../../server/src/videos/ffmpeg.ts";
import { openFolders } from "../../server/src/videos/folders.ts";
import { createJanitor } from "../../server/src/videos/janitor.ts";
import { createLibrary } from "../../server/src/videos/library.ts";
import { createProcessor, type Processor } from "../../server/src/videos/processing.ts";
import { createUploads } from "../../server/src/videos/upload.ts";
import type { Video, VideoStatus } from "../../server/src/videos/video.ts";
import { freePort } from "./server.ts";

export const PUBLIC_URL = "http://videos.test";

export interface VideoRoom extends Awaited<ReturnType<typeof openVideoRoom>> {}

/** Creates the service's video components, with their own data folder. */
export async function openVideoRoom(db: Database, { maxBytes = LIMITS.UPLOAD_BYTES_MAX as number, dataDir = "" } = {}) {
  dataDir ||= await temporaryFolder();
  const folders = await openFolders(dataDir);
  const [clock, random, signals, log] = [systemClock, systemRandom, createSignals(), createLog("silent")];
  const watchdog = new Watchdog(clock);
  const publicUrl = PUBLIC_URL;
  const blobs = createLocalBlobs({ folder: folders.media });
  const recorder = createRecorder({ db, clock, random, signals });
  const library = createLibrary({ db, recorder, blobs, random, signals, publicUrl });
  const uploads = createUploads({ db, folders, clock, random, signals, maxBytes });
  const janitor = createJanitor({ db, blobs, uploads, clock, log, watchdog });
  const running = new Set<Processor>();
  afterEach(async () => {
    for (const processor of running) await processor.stop();
    running.clear();
  });

  const parts = { db, recorder, blobs, folders, clock, random, signals, log, watchdog, publicUrl };
  return {
    ...{ ...parts, dataDir, library, uploads, janitor, space: await anySpace(db) },
    /** Starts a processor, which stops after the test. @param ffmpeg null to simulate a machine without ffmpeg */
    async process(ffmpeg?: Ffmpeg | null, blobs = parts.blobs): Promise<Processor> {
      const tool = ffmpeg === undefined ? await findFfmpeg(clock) : ffmpeg;
      const processor = createProcessor({ ...parts, ffmpeg: tool, blobs });
      running.add(processor);
      await processor.start();
      return processor;
    },
  };
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "mave-videos-"));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function anySpace(db: Database): Promise<string> {
  return (await db.run<{ id: string }>({ name: "test_space", text: "select id from spaces limit 1" }))[0]!.id;
}

/** Waits until the video has this status and no processing is in progress. */
export async function settled(room: VideoRoom, id: string, status: VideoStatus): Promise<Video> {
  await expect
    .poll(async () => room.library.get(room.space, id), { timeout: 45_000, interval: 25 })
    .toMatchObject({ status, progress: null });
  return room.library.get(room.space, id);
}

/** Returns the types of a video's events, in order of sequence number. */
export async function eventTypes(db: Database, video: string): Promise<string[]> {
  const rows = await db.run<{ type: string; sequence: number }>(
    { name: "test_events", text: "select type, sequence from events where video_id = $1 order by sequence" },
    [video],
  );
  expect(rows.map(({ sequence }) => sequence)).toEqual(rows.map((_row, index) => index + 1));
  return rows.map(({ type }) => type);
}

/** Serves these components over HTTP. Only the routes for uploads, media and pages work. */
export async function serveVideos(room: VideoRoom): Promise<{ app: Http["app"]; url: string; key: string }> {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const apiKeys = createApiKeys(room);
  const { key } = await apiKeys.create(room.db, room.space, { name: "test", scope: "write", by: "test" });
  const parts = {
    ...room,
    apiKeys,
    publicUrl: url,
    trustProxy: false,
    metricsToken: null,
    version: "0.0.0",
    hasApiRole: true,
  };
  const metrics = { registry: undefined, request() {} };
  const http = await createHttp({ ...parts, metrics, tus: createTusHandler(parts) } as unknown as HttpParts);
  await http.app.listen({ port, host: "127.0.0.1" });
  afterAll(() => http.close());
  return { app: http.app, url, key };
}
