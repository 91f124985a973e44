import { existsSync, readdirSync, readFileSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { afterAll, test as always, beforeAll, expect } from "vitest";
import { without } from "../support/machine.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { playable, videoFolder } from "../support/video-files.ts";

const test = always.skipIf(without("ffmpeg"));

const inputs = await videoFolder();
let server: TestServer;
let authorization: string;

beforeAll(async () => {
  server = await startServer();
  authorization = `Bearer ${await server.key()}`;
});
afterAll(() => server.remove());

async function call<Body>(method: string, path: string, body?: unknown): Promise<Body> {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const headers = { authorization, ...(body === undefined ? {} : { "content-type": "application/json" }) };
  return (await (await fetch(`${server.url}${path}`, { method, headers, ...init })).json()) as Body;
}

const newVideo = async () => (await call<{ id: string }>("POST", "/v1/videos", {})).id;
const statusOf = async (id: string) => (await call<{ status: string }>("GET", `/v1/videos/${id}`)).status;

async function put(id: string, file: string): Promise<number> {
  const init = { method: "PUT", headers: { authorization }, body: new Uint8Array(await readFile(file)) };
  return (await fetch(`${server.url}/v1/videos/${id}/file`, init)).status;
}

async function typesOf(id: string): Promise<string[]> {
  const { data } = await call<{ data: { type: string }[] }>("GET", `/v1/events?video=${id}&limit=100`);
  return data.map(({ type }) => type);
}

/** Returns the process ids of this server's ffmpeg processes. */
function ffmpegs(): number[] {
  const isOurs = (process: string) => {
    try {
      const line = readFileSync(`/proc/${process}/cmdline`, "utf8");
      return line.startsWith("ffmpeg\0") && line.includes(server.dataDir);
    } catch {
      return false; // the process has exited
    }
  };
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && isOurs(name))
    .map(Number);
}

const ready = { timeout: 20_000, interval: 50 };

test("killing ffmpeg makes the server repeat the processing and record only one event", {
  timeout: 60_000,
}, async () => {
  const id = await newVideo();
  await put(id, await playable(inputs, "long.mp4"));
  await expect.poll(ffmpegs, ready).toHaveLength(1);
  process.kill(ffmpegs()[0]!, "SIGKILL");
  await expect.poll(() => statusOf(id), { timeout: 45_000, interval: 100 }).toBe("ready");
  expect(await typesOf(id)).toEqual(["video.created", "video.processing", "video.uploaded"]);
});

test("killing the server during processing leaves no ffmpeg running, and a restart repeats the processing", {
  timeout: 60_000,
}, async () => {
  const id = await newVideo();
  await put(id, await playable(inputs, "long.mp4"));
  await expect.poll(ffmpegs, ready).toHaveLength(1);
  await server.kill();
  await expect.poll(ffmpegs, ready).toEqual([]);
  await server.start();
  await expect.poll(() => statusOf(id), { timeout: 45_000, interval: 100 }).toBe("ready");
  expect(await typesOf(id)).toEqual(["video.created", "video.processing", "video.uploaded"]);
  await expect.poll(() => readdir(join(server.dataDir, "work")), ready).toEqual([]);
  expect(await readdir(join(server.dataDir, "originals"))).toEqual([]);
});

test("if the server is killed during uploads, a tus upload resumes after the last byte on disk, and a PUT is discarded", async () => {
  const file = await readFile(await playable(inputs, "plain-720p.mp4"));
  const [resumed, broken] = [await newVideo(), await newVideo()];
  const tus = { authorization, "tus-resumable": "1.0.0" };
  const metadata = `video ${Buffer.from(resumed).toString("base64")}`;
  const created = await fetch(`${server.url}/v1/uploads`, {
    method: "POST",
    headers: { ...tus, "upload-length": String(file.length), "upload-metadata": metadata },
  });
  const address = new URL(created.headers.get("location")!, server.url);
  const type = { "content-type": "application/offset+octet-stream" };
  const half = Math.floor(file.length / 2);
  const requests = [
    httpRequest(address, {
      method: "PATCH",
      headers: { ...tus, ...type, "upload-offset": "0", "content-length": file.length },
    }),
    httpRequest(`${server.url}/v1/videos/${broken}/file`, {
      method: "PUT",
      headers: { authorization, "content-length": file.length },
    }),
  ];
  for (const request of requests) request.on("error", () => {}).write(file.subarray(0, half));
  const incoming = join(server.dataDir, "incoming");
  const sizes = async () =>
    Promise.all((await readdir(incoming)).map(async (name) => (await stat(join(incoming, name))).size));
  await expect.poll(sizes, ready).toEqual([half, half]);

  await server.kill();
  await server.start();
  const head = await fetch(address, { method: "HEAD", headers: tus });
  expect(head.headers.get("upload-offset")).toBe(String(half));
  await expect.poll(() => statusOf(broken), ready).toBe("waiting");
  expect(await readdir(incoming)).toHaveLength(1);

  const rest = new Uint8Array(file.subarray(half));
  const sent = await fetch(address, {
    method: "PATCH",
    headers: { ...tus, ...type, "upload-offset": String(half) },
    body: rest,
  });
  expect(sent.status).toBe(204);
  await expect.poll(() => statusOf(resumed), ready).toBe("ready");
  expect(existsSync(join(server.dataDir, "media", resumed, "1", "720p.mp4"))).toBe(true);
});
