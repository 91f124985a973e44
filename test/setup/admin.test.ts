import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findEmbeddedPostgres } from "../../server/src/store/embedded-postgres.ts";
import { freePort, removeDataFolder, runAdmin, startServer, type TestServer } from "../support/server.ts";

describe("mave admin beside a running server", () => {
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

  test("key create prints the key and nothing else, and the key opens what its scope says", async () => {
    const write = await runAdmin(["key", "create", "--name", "ci", "--scope", "write"], env);
    expect(write).toMatchObject({ code: 0, stderr: "", stdout: expect.stringMatching(/^mave_[\w-]{43}\n$/) });
    expect((await videos(write.stdout.trim(), { method: "POST", body: "{}" })).status).toBe(201);
    const read = (await runAdmin(["key", "create", "--name", "reader", "--scope", "read"], env)).stdout.trim();
    expect((await videos(read)).status).toBe(200);
    expect((await videos(read, { method: "POST", body: "{}" })).status).toBe(403);
  });

  test("link prints a link that the server takes once", async () => {
    const { code, stdout } = await runAdmin(["link"], env);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^${server.url}/dashboard/link#[\\w-]{43}\n$`));
    const token = stdout.trim().split("#")[1];
    const answer = await fetch(`${server.url}/v1/session/link`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: server.url },
      body: JSON.stringify({ token }),
    });
    expect(await answer.json()).toMatchObject({ purpose: "owner" });
  });

  test("doctor looks at everything, a line each, and the server goes on", async () => {
    const { code, stdout } = await runAdmin(["doctor"], env);
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => line.slice(2, 11).trim()),
    ).toEqual(["disk", "ffmpeg", "database", "clock", "network"]);
    expect(stdout).toMatch(/✓ database {2}PostgreSQL 18\.\d.*, \d+\.\d\d GB, \d+ open deliveries/);
    expect(code).toBe(0);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });

  test.each([
    [["key", "create", "--name", " "], /A key's name has 1 to 200 characters/],
    [["key", "create"], /required option '--name <name>' not specified/],
    [["key", "create", "--name", "x", "--scope", "all"], /Allowed choices are read, write/],
    [["frobnicate"], /unknown command 'frobnicate'/],
  ])("%j is refused with a sentence", async (words, sentence) => {
    const { code, stdout, stderr } = await runAdmin(words, env);
    expect(stderr).toMatch(sentence);
    expect([code, stdout]).toEqual([1, ""]);
  });
});

test("mave admin without a server starts the database for as long as it needs it", async () => {
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

test("doctor says what to do about a database that does not answer and a folder that cannot be written", async () => {
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
  expect(stdout).toMatch(/✗ disk {6}\/dev\/null\/data cannot be written .* Mend that, or set MAVE_DATA_DIR/);
  expect(stdout).toMatch(/! ffmpeg {4}missing: .* set MAVE_FFMPEG/);
  expect(stdout).toMatch(/✗ database {2}The database of DATABASE_URL cannot be used .* Check that it runs/);
});
