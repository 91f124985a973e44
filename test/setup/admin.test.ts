import { randomBytes } from "node:crypto";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verifySync } from "@mave/webhooks/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findEmbeddedPostgres } from "../../server/src/store/embedded-postgres.ts";
import { type Receiver, startReceiver } from "../browser/receiver.ts";
import { freePort, removeDataFolder, runAdmin, startServer, type TestServer } from "../support/server.ts";

describe("mave admin with a running server", () => {
  let server: TestServer;
  let env: Record<string, string>;
  beforeAll(async () => {
    server = await startServer();
    env = { MAVE_DATA_DIR: server.dataDir, PORT: new URL(server.url).port };
  });
  afterAll(() => server.remove());

  const videos = (key: string, init: RequestInit = {}) =>
    fetch(`${server.url}/v1/videos`, {
      ...init,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    });

  test("key create creates a key with the requested scope and prints nothing else", async () => {
    const write = await runAdmin(["key", "create", "--name", "ci", "--scope", "write"], env);
    expect(write).toMatchObject({ code: 0, stderr: "", stdout: expect.stringMatching(/^mave_[\w-]{43}\n$/) });
    expect((await videos(write.stdout.trim(), { method: "POST", body: "{}" })).status).toBe(201);
    const read = (await runAdmin(["key", "create", "--name", "reader", "--scope", "read"], env)).stdout.trim();
    expect((await videos(read)).status).toBe(200);
    expect((await videos(read, { method: "POST", body: "{}" })).status).toBe(403);
  });

  test("link prints a working sign-in link", async () => {
    const { code, stdout } = await runAdmin(["link"], env);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^${server.url}/dashboard/link#[\\w-]{43}\n$`));
    const token = stdout.trim().split("#")[1];
    const response = await fetch(`${server.url}/v1/session/link`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: server.url },
      body: JSON.stringify({ token }),
    });
    expect(await response.json()).toMatchObject({ purpose: "owner" });
  });

  test("doctor prints one line per check and does not disturb the server", async () => {
    const { code, stdout } = await runAdmin(["doctor"], env);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => line.slice(2, 11).trim()),
    ).toEqual(["disk", "ffmpeg", "database", "clock", "network"]);
    expect(stdout).toMatch(/✓ database {2}PostgreSQL 18\.\d.*, \d+\.\d\d GB, \d+ pending deliveries/);
    expect(code).toBe(0);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });

  test.each([
    [["key", "create", "--name", " "], /An API key's name must be 1 to 200 characters long/],
    [["key", "create"], /required option '--name <name>' not specified/],
    [["key", "create", "--name", "x", "--scope", "all"], /Allowed choices are read, write/],
    [["frobnicate"], /unknown command 'frobnicate'/],
  ])("%j fails with an error message", async (words, sentence) => {
    const { code, stdout, stderr } = await runAdmin(words, env);
    expect(stderr).toMatch(sentence);
    expect([code, stdout]).toEqual([1, ""]);
  });
});

describe("a new MAVE_SECRETS_KEY", () => {
  const [oldKey, newKey] = [randomBytes(32), randomBytes(32)].map((key) => key.toString("base64"));
  let server: TestServer;
  let receiver: Receiver;
  let key: string;
  beforeAll(async () => {
    receiver = await startReceiver();
    server = await startServer({ MAVE_SECRETS_KEY: oldKey! });
    key = await server.key();
  });
  afterAll(() => server.remove());

  const settings = (keys: string) => ({
    MAVE_DATA_DIR: server.dataDir,
    PORT: new URL(server.url).port,
    MAVE_SECRETS_KEY: keys,
  });
  const restart = async (keys: string) => {
    await server.stop();
    server = await startServer(settings(keys));
  };
  const post = async (path: string, body: object) => {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const response = await fetch(`${server.url}/v1/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    expect(response.ok).toBe(true);
    return (await response.json()) as { id: string; secret: string };
  };

  test("replaces the old key while deliveries continue with the same secrets and headers", async () => {
    const own = { "X-Api-Key": "of the receiver" };
    const made = await post("webhooks", { url: receiver.url, events: ["video.created"], headers: own });
    const rotated = await post(`webhooks/${made.id}/secret/rotations`, { overlap_seconds: 3_600 });
    let sent = 0;
    const deliver = async () => {
      await post("videos", {});
      sent += 1;
      await expect.poll(() => receiver.received.length).toBe(sent);
      const { headers, body } = receiver.received.at(-1)!;
      for (const secret of [rotated.secret, made.secret])
        expect(verifySync(body, headers, secret).object).toBe("event");
      expect(headers["x-api-key"]).toBe(own["X-Api-Key"]);
    };
    await deliver();

    await restart(`${newKey},${oldKey}`);
    await deliver();
    let over = false;
    const resealing = runAdmin(["secrets", "reseal"], settings(`${newKey},${oldKey}`)).finally(() => {
      over = true;
    });
    do await deliver();
    while (!over);
    expect(await resealing).toEqual({
      code: 0,
      stderr: "",
      stdout:
        "Re-encrypted 1 of 1 webhooks with the first key. Remove the other keys after 24 hours. Until then, stored idempotent responses may need them.\n",
    });
    await deliver();
    const again = await runAdmin(["secrets", "reseal"], settings(`${newKey},${oldKey}`));
    expect(again.stdout).toMatch(/^Re-encrypted 0 of 1 webhooks/);

    await restart(newKey!);
    await deliver();
    expect(server.output()).not.toContain("MAVE_SECRETS_KEY");
  });

  test("that is set without the old key holds the affected deliveries until the old key is added back", async () => {
    await post("webhooks", { url: `${receiver.url}?another`, events: ["video.created"] });
    const other = randomBytes(32).toString("base64");
    await restart(other);
    const before = receiver.received.length;
    const { id } = await post("videos", {});
    await expect
      .poll(() => server.output())
      .toMatch(/webhook \w{22}: the key it was sealed with is not in MAVE_SECRETS_KEY/);
    const refused = await runAdmin(["secrets", "reseal"], settings(other));
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/the key it was sealed with is not in MAVE_SECRETS_KEY/);
    expect(receiver.received).toHaveLength(before);

    await restart(`${other},${newKey}`);
    await expect.poll(() => receiver.received.slice(before).map(({ event }) => event.data.id)).toEqual([id, id]);
  });
});

test("without a running server, mave admin runs the database only for the duration of the command", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mave-admin-"));
  const env = { MAVE_DATA_DIR: folder, PORT: String(await freePort()) };
  try {
    const { code, stdout, stderr } = await runAdmin(["key", "create", "--name", "ci"], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^mave_[\w-]{43}\n$/);
    expect(await findEmbeddedPostgres(folder)).toBeNull();
    expect((await runAdmin(["doctor"], env)).stdout).toContain("✓ database");
    expect(await findEmbeddedPostgres(folder)).toBeNull();
  } finally {
    await removeDataFolder(folder);
  }
});

test("mave admin doctor explains how to fix an unreachable database and a data folder that is not writable", async () => {
  const env = {
    DATABASE_URL: `postgres://mave@127.0.0.1:${await freePort()}/mave`,
    MAVE_SECRETS_KEY: Buffer.alloc(32, 1).toString("base64"),
  };
  const { code, stdout } = await runAdmin(["doctor"], {
    ...env,
    MAVE_DATA_DIR: "/dev/null/data",
    MAVE_FFMPEG: "/nowhere/ffmpeg",
  });
  expect(code).toBe(1);
  expect(stdout).toMatch(/✗ disk {6}\/dev\/null\/data is not writable .* Make it writable, or set MAVE_DATA_DIR/);
  expect(stdout).toMatch(/! ffmpeg {4}missing: .* set MAVE_FFMPEG/);
  expect(stdout).toMatch(/✗ database {2}The database at DATABASE_URL cannot be used .* Check that it is running/);
});
