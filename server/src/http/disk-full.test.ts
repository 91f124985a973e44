import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, test as always, expect } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { openVideoRoom, serveVideos } from "../../../test/support/videos.ts";

/** Skips a test unless the user is root, because only root can mount a small disk. */
const test = always.skipIf(process.getuid?.() !== 0);

const disk = await smallDisk();
const room = await openVideoRoom(await testDatabase(), { dataDir: disk });
const { url, key } = await serveVideos(room);
const authorization = `Bearer ${key}`;
const FILE = Buffer.alloc(3_000_000, "0123456789");

/** Mounts a 2 MB disk. */
async function smallDisk(): Promise<string> {
  const run = promisify(execFile);
  const folder = await mkdtemp(join(tmpdir(), "mave-small-disk-"));
  const mounted = process.getuid?.() === 0;
  if (mounted) await run("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", folder]);
  afterAll(async () => {
    if (mounted) await run("umount", [folder]);
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
}

const newVideo = async () => (await room.library.create(room.space, {})).id;

test("a PUT to a full disk returns 507 and leaves no file", async () => {
  const id = await newVideo();
  const response = await fetch(`${url}/v1/videos/${id}/file`, {
    method: "PUT",
    headers: { authorization },
    body: FILE,
  });
  expect(response.status).toBe(507);
  expect(await response.json()).toMatchObject({ code: "STORAGE_FULL" });
  expect(await readdir(room.folders.incoming)).toEqual([]);
  expect(await room.library.get(room.space, id)).toMatchObject({ status: "waiting" });
});

test("a tus upload that fills the disk returns 507, and resumes where it stopped once there is space", async () => {
  const ballast = join(disk, "ballast");
  await writeFile(ballast, Buffer.alloc(1_000_000));
  const tus = { authorization, "tus-resumable": "1.0.0" };
  const file = FILE.subarray(0, 1_800_000);
  const created = await fetch(`${url}/v1/uploads`, {
    method: "POST",
    headers: {
      ...tus,
      "upload-length": String(file.length),
      "upload-metadata": `video ${Buffer.from(await newVideo()).toString("base64")}`,
    },
  });
  const address = new URL(created.headers.get("location")!, url);
  const send = (from: number) =>
    fetch(address, {
      method: "PATCH",
      headers: { ...tus, "content-type": "application/offset+octet-stream", "upload-offset": String(from) },
      body: new Uint8Array(file.subarray(from)),
    });
  const full = await send(0);
  expect(full.status).toBe(507);
  expect(await full.json()).toMatchObject({ code: "STORAGE_FULL" });
  await rm(ballast);
  const head = await fetch(address, { method: "HEAD", headers: tus });
  const offset = Number(head.headers.get("upload-offset"));
  expect(offset).toBeGreaterThan(0);
  expect((await send(offset)).status).toBe(204);
  const [original] = await readdir(room.folders.originals);
  expect((await readFile(join(room.folders.originals, original!))).equals(file)).toBe(true);
});

test("a connection can be reused after an upload that did not fit on the disk", { timeout: 30_000 }, async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (method: string, path: string, headers: object, body?: Buffer) =>
    new Promise<{ status: number; socket: number }>((resolve, reject) => {
      const sent = request(`${url}${path}`, { method, agent, headers: { authorization, ...headers } }, (response) => {
        const socket = response.socket.localPort!;
        response.resume().once("end", () => resolve({ status: response.statusCode!, socket }));
      });
      sent.once("error", reject).end(body);
    });
  const large = Buffer.alloc(5_000_000);
  const put = await ask("PUT", `/v1/videos/${await newVideo()}/file`, {}, large);
  const tus = { "tus-resumable": "1.0.0" };
  const metadata = `video ${Buffer.from(await newVideo()).toString("base64")}`;
  const creation = { ...tus, "upload-length": large.length, "upload-metadata": metadata };
  const withBody = { ...creation, "content-type": "application/offset+octet-stream" };
  const patch = await ask("POST", "/v1/uploads", withBody, large);
  const next = await ask("GET", "/healthz", {});
  expect([put.status, patch.status, next.status]).toEqual([507, 507, 200]);
  expect(new Set([put.socket, patch.socket, next.socket]).size).toBe(1);
  agent.destroy();
});
