import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { testDatabaseUrl } from "../support/database.ts";
import { startServer } from "../support/server.ts";
import { playable, videoFolder } from "../support/video-files.ts";
import { type Caller, call } from "./caller.ts";
import { setScene, wait } from "./scene.ts";

const TIMEOUT_MS = 240_000;

/** Mounts a small disk that the test can fill. @returns null if this user is not allowed to mount disks */
function smallDisk(bytes: number): { folder: string; fill(left: number): void; free(): void } | null {
  const disk = mkdtempSync(join(tmpdir(), "mave-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes},mode=755`, "tmpfs", disk], { stdio: "pipe" });
  } catch {
    rmSync(disk, { recursive: true });
    return null;
  }
  onTestFinished(() => {
    execFileSync("umount", ["-l", disk]);
    rmSync(disk, { recursive: true });
  });
  const folder = join(disk, "data");
  mkdirSync(folder);
  const ballast = join(disk, "ballast");
  return {
    folder,
    fill(left) {
      const { bavail, bsize } = statfsSync(disk);
      try {
        writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - left)));
      } catch (error) {
        // Another process may have used the remaining space in the meantime. Either way, the disk is full.
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      }
    },
    free: () => rmSync(ballast, { force: true }),
  };
}

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log("Skipping the tests of a full disk: only root may mount the disk that they fill");

describe.skipIf(!isRoot)("a full disk", () => {
  test("makes the server reject an upload with 507, keep existing data, and accept the upload once there is space", {
    timeout: TIMEOUT_MS,
  }, async (context) => {
    const disk = smallDisk(40_000_000);
    if (disk === null) return context.skip("This machine does not allow mounts, even by root.");
    const server = await startServer({ DATABASE_URL: await testDatabaseUrl(), MAVE_DATA_DIR: disk.folder });
    onTestFinished(() => server.stop().then(() => {}));
    const caller: Caller = { url: () => server.url, key: await server.key() };
    const headers = { authorization: `Bearer ${caller.key}` };
    const { body: video } = await call<{ id: string }>(caller, "POST", "/v1/videos", {});
    const get = async () => (await call<{ status: string }>(caller, "GET", `/v1/videos/${video.id}`)).body;
    const file = await readFile(await playable(await videoFolder(), "plain.mp4"));
    const put = (body: Uint8Array) =>
      fetch(`${server.url}/v1/videos/${video.id}/file`, { method: "PUT", headers, body: body as Buffer<ArrayBuffer> });

    disk.fill(1_000_000);
    const refused = await put(new Uint8Array(5_000_000));
    expect(refused.status).toBe(507);
    expect(await refused.json()).toMatchObject({ code: "STORAGE_FULL", status: 507 });
    await expect.poll(async () => (await get()).status).toBe("waiting");
    expect(await readdir(join(disk.folder, "incoming"))).toEqual([]);

    const offset = await sendByTus(server.url, headers, video.id, Buffer.alloc(5_000_000));
    expect(offset.status).toBe(507);

    disk.free();
    expect((await put(file)).status).toBe(202);
    await expect.poll(async () => (await get()).status, { timeout: 120_000, interval: 300 }).toBe("ready");
  });

  test("that contains the database causes no acknowledged event to be lost", {
    timeout: TIMEOUT_MS,
  }, async (context) => {
    const disk = smallDisk(500_000_000);
    if (disk === null) return context.skip("This machine does not allow mounts, even by root.");
    const scene = await setScene({ MAVE_DATA_DIR: disk.folder }, ["/healthy", "/flaky"]);
    const load = scene.load({ callers: 4, pause_ms: 20 });
    await wait(1_000);
    disk.fill(0);
    const statuses = new Set<number>();
    const createUntilRefused = async () => {
      const response = await fetch(`${scene.server.url}/v1/videos`, {
        method: "POST",
        headers: { authorization: `Bearer ${scene.caller.key}`, "content-type": "application/json" },
        body: JSON.stringify({
          metadata: Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, "x".repeat(500)])),
        }),
      }).catch(() => null);
      if (response?.status === 201) load.acknowledged.created.add(((await response.json()) as { id: string }).id);
      statuses.add(response?.status ?? 0);
      return [...statuses].some((status) => status !== 201);
    };
    await expect.poll(createUntilRefused, { timeout: 60_000, interval: 10 }).toBe(true);
    for (const status of statuses) expect([201, 507, 503, 0]).toContain(status);
    disk.free();
    // If the database could not write its log, it has exited, and so has the server.
    const hasEnded = await fetch(`${scene.server.url}/readyz`).then(
      () => scene.server.process().exitCode !== null,
      () => true,
    );
    if (hasEnded) await scene.server.kill().then(() => scene.server.start());
    await load.stop();
    await scene.drained();
    console.log(
      `On a full disk the API returned ${[...statuses].join(", ")}${hasEnded ? "; the service had to be restarted" : ""}`,
    );
    expect((await scene.compare(load)).findings).toEqual([]);
  });
});

async function sendByTus(
  url: string,
  headers: Record<string, string>,
  video: string,
  file: Buffer,
): Promise<{ status: number }> {
  const tus = { ...headers, "tus-resumable": "1.0.0" };
  const metadata = `video ${Buffer.from(video).toString("base64")}`;
  const made = await fetch(`${url}/v1/uploads`, {
    method: "POST",
    headers: { ...tus, "upload-length": String(file.length), "upload-metadata": metadata },
  });
  expect(made.status).toBe(201);
  return fetch(new URL(made.headers.get("location")!, url), {
    method: "PATCH",
    headers: { ...tus, "content-type": "application/offset+octet-stream", "upload-offset": "0" },
    body: file as Buffer<ArrayBuffer>,
  });
}
