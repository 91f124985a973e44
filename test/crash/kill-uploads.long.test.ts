import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { without } from "../support/machine.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { playable, videoFolder } from "../support/video-files.ts";
import { all, type Caller, call } from "./caller.ts";

const TIMEOUT_MS = 240_000; // each test takes only seconds on an idle machine

let server: TestServer;
let caller: Caller;
let quick: string;
let slow: string;

// These tests need ffmpeg, which also creates the files they upload. `npm test` skips the tests if ffmpeg is not
// installed.
beforeAll(async () => {
  if (without("ffmpeg")) return;
  const folder = await videoFolder();
  quick = await playable(folder, "plain.mp4");
  slow = await playable(folder, "high-bitrate.mp4");
  server = await startServer();
  caller = { url: () => server.url, key: await server.key() };
}, 120_000);
afterAll(() => server?.remove());

interface VideoView {
  id: string;
  status: string;
  size: number | null;
  error: { code: string } | null;
}

const createVideo = async (): Promise<string> => (await call<VideoView>(caller, "POST", "/v1/videos", {})).body.id;
const getVideo = async (id: string): Promise<VideoView> =>
  (await call<VideoView>(caller, "GET", `/v1/videos/${id}`)).body;
const becomesReady = (id: string) =>
  expect.poll(async () => (await getVideo(id)).status, { timeout: TIMEOUT_MS, interval: 300 }).toBe("ready");

async function put(id: string, path: string): Promise<number> {
  const headers = { authorization: `Bearer ${caller.key}` };
  const response = await fetch(`${server.url}/v1/videos/${id}/file`, {
    method: "PUT",
    headers,
    body: await readFile(path),
  });
  return response.status;
}

/** Returns the types of a video's events, in order. */
async function eventTypes(id: string): Promise<string[]> {
  return (await all<{ type: string }>(caller, `/v1/events?video=${id}`)).map(({ type }) => type);
}

/** Returns the ids of the server's child processes: ffmpeg, ffprobe and their wrappers. */
function workers(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, "latin1");
        const state = /\nState:\s+(\S)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
        const here = words.includes(server.dataDir) || readlinkSync(`/proc/${pid}/cwd`).startsWith(server.dataDir);
        return here && state !== "Z" && /ff(?:mpeg|probe)/.test(words);
      } catch {
        return false; // the process has exited
      }
    });
}

/** Checks that no temporary files or partial uploads are left. */
async function expectNoLeftovers(): Promise<void> {
  for (const folder of ["work", "incoming"])
    await expect.poll(() => readdir(join(server.dataDir, folder)), { timeout: TIMEOUT_MS, interval: 500 }).toEqual([]);
}

const tus = (more: Record<string, string>) => ({
  authorization: `Bearer ${caller.key}`,
  "tus-resumable": "1.0.0",
  ...more,
});

describe.skipIf(without("ffmpeg"))("an upload whose server is killed", () => {
  test("resumes after the last byte on disk and matches the original file", { timeout: TIMEOUT_MS }, async () => {
    const [video, file] = [await createVideo(), await readFile(slow)];
    const metadata = `video ${Buffer.from(video).toString("base64")}`;
    const created = await fetch(`${server.url}/v1/uploads`, {
      method: "POST",
      headers: tus({ "upload-length": String(file.length), "upload-metadata": metadata }),
    });
    expect(created.status).toBe(201);
    const path = new URL(created.headers.get("location")!, server.url).pathname;
    const onDisk = join(server.dataDir, "incoming", path.split("/").pop()!);

    let offset = 0;
    for (const share of [0.2, 0.45, 0.7]) {
      await sendUntilKilled(path, file, offset, Math.floor(file.length * share), onDisk);
      await server.start();
      const head = await fetch(`${server.url}${path}`, { method: "HEAD", headers: tus({}) });
      offset = Number(head.headers.get("upload-offset"));
      expect(offset).toBe((await stat(onDisk)).size);
      expect(offset).toBeGreaterThan(0);
      expect(await readFile(onDisk)).toEqual(file.subarray(0, offset));
    }
    const type = { "content-type": "application/offset+octet-stream", "upload-offset": String(offset) };
    const rest = await fetch(`${server.url}${path}`, {
      method: "PATCH",
      headers: tus(type),
      body: file.subarray(offset),
    });
    expect(rest.status).toBe(204);
    await becomesReady(video);
    expect((await getVideo(video)).size).toBe(file.length);
    expect(await eventTypes(video)).toEqual(["video.created", "video.processing", "video.uploaded"]);
    await expectNoLeftovers();
  });

  test("leaves no files behind if it was a PUT", { timeout: TIMEOUT_MS }, async () => {
    const video = await createVideo();
    const headers = { authorization: `Bearer ${caller.key}`, "content-length": "1000000" };
    const sending = request(`${server.url}/v1/videos/${video}/file`, { method: "PUT", headers }).on("error", () => {});
    sending.write(Buffer.alloc(300_000));
    await expect.poll(async () => (await getVideo(video)).status, { timeout: 20_000 }).toBe("uploading");
    await server.kill();
    await server.start();
    await expect.poll(async () => (await getVideo(video)).status, { timeout: 90_000, interval: 300 }).toBe("waiting");
    await expectNoLeftovers();
    expect(await put(video, quick)).toBe(202);
    await becomesReady(video);
  });
});

describe.skipIf(without("ffmpeg"))("processing", () => {
  test("is repeated if ffmpeg is killed, and still records only one event", { timeout: TIMEOUT_MS }, async () => {
    const video = await createVideo();
    expect(await put(video, slow)).toBe(202);
    await expect.poll(() => workers().length, { timeout: 60_000, interval: 5 }).toBeGreaterThan(0);
    for (const pid of workers()) process.kill(pid, "SIGKILL");
    await becomesReady(video);
    expect(await eventTypes(video)).toEqual(["video.created", "video.processing", "video.uploaded"]);
    await expectNoLeftovers();
  });

  test("is repeated if the server is killed, leaves no ffmpeg running and records only one event", {
    timeout: TIMEOUT_MS,
  }, async () => {
    const video = await createVideo();
    expect(await put(video, slow)).toBe(202);
    for (let kill = 0; kill < 2; kill += 1) {
      await expect.poll(() => workers().length, { timeout: 60_000, interval: 5 }).toBeGreaterThan(0);
      await server.kill();
      await expect.poll(() => workers(), { timeout: 30_000, interval: 20 }).toEqual([]);
      await server.start();
    }
    await becomesReady(video);
    expect(await eventTypes(video)).toEqual(["video.created", "video.processing", "video.uploaded"]);
    const versions = await readdir(join(server.dataDir, "media", video));
    expect(versions).toHaveLength(1);
    await expectNoLeftovers();
  });
});

/** Sends part of the file and kills the server once some of it is on disk. */
async function sendUntilKilled(path: string, file: Buffer, from: number, until: number, onDisk: string): Promise<void> {
  const headers = tus({
    "content-type": "application/offset+octet-stream",
    "upload-offset": String(from),
    "content-length": String(file.length - from),
  });
  const sending = request(`${server.url}${path}`, { method: "PATCH", headers }).on("error", () => {});
  sending.write(file.subarray(from, until));
  const size = () =>
    stat(onDisk).then(
      ({ size }) => size,
      () => 0,
    );
  await expect.poll(size, { timeout: 20_000, interval: 10 }).toBeGreaterThan(from);
  await server.kill();
}
