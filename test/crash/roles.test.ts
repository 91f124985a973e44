import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { testDatabaseUrl } from "../support/database.ts";
import { without } from "../support/machine.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { playable, videoFolder } from "../support/video-files.ts";
import { type Caller, call } from "./caller.ts";
import { startLoggingReceiver } from "./logging-receiver.ts";
import { QUICK_RETRIES } from "./scene.ts";

const poll = { timeout: 60_000, interval: 50 };

test.skipIf(without("ffmpeg"))(
  "three nodes, each with a different role, create a video, process it and deliver its events",
  { timeout: 240_000 },
  async () => {
    const { start, receiver } = await prepare();
    const api = await start("api");
    const caller: Caller = { url: () => api.url, key: await api.key() };
    const { body: webhook } = await call<{ secret: string }>(caller, "POST", "/v1/webhooks", {
      url: receiver.url("/healthy"),
      events: ["video.created", "video.processing", "video.uploaded"],
    });
    receiver.secrets.set("/healthy", webhook.secret);
    const { body: video } = await call<{ id: string }>(caller, "POST", "/v1/videos", {});
    expect(await upload(caller, video.id)).toBe(202);
    const types = () => receiver.read().map(({ type }) => type);
    expect(types()).toEqual([]); // no node with the deliver role is running yet

    await start("deliver");
    await expect.poll(types, poll).toEqual(["video.created"]);
    const status = async () => (await call<{ status: string }>(caller, "GET", `/v1/videos/${video.id}`)).body.status;
    expect(await status()).not.toBe("ready"); // no node with the process role is running yet

    await start("process");
    await expect.poll(types, poll).toEqual(["video.created", "video.processing", "video.uploaded"]);
    expect(await status()).toBe("ready");
    expect(receiver.read().every(({ verified, attempt }) => verified && attempt === 1)).toBe(true);
  },
);

/**
 * Creates a receiver, plus a database, a data folder and a secrets key that all nodes share. Everything is removed
 * after the test.
 */
async function prepare() {
  const folder = await mkdtemp(join(tmpdir(), "mave-roles-"));
  const receiver = await startLoggingReceiver(join(folder, "received.jsonl"));
  const nodes: TestServer[] = [];
  onTestFinished(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await receiver.close();
    await rm(folder, { recursive: true, force: true });
  });
  const shared = {
    ...QUICK_RETRIES,
    DATABASE_URL: await testDatabaseUrl(),
    MAVE_DATA_DIR: join(folder, "data"),
    MAVE_SECRETS_KEY: randomBytes(32).toString("base64"),
  };
  const start = async (role: string): Promise<TestServer> => {
    const node = await startServer({ ...shared, MAVE_ROLES: role });
    nodes.push(node);
    return node;
  };
  return { start, receiver };
}

async function upload({ url, key }: Caller, video: string): Promise<number> {
  const file = await readFile(await playable(await videoFolder(), "plain.mp4"));
  const init = { method: "PUT", headers: { authorization: `Bearer ${key}` }, body: new Uint8Array(file) };
  return (await fetch(`${url()}/v1/videos/${video}/file`, init)).status;
}
