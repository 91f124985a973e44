import { once } from "node:events";
import { mkdtemp, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { LIMITS } from "../../server/src/kernel/limits.ts";
import { openDatabase } from "../../server/src/store/db.ts";
import { findEmbeddedPostgres } from "../../server/src/store/embedded-postgres.ts";
import { testDatabaseUrl } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";
import {
  cleanEnvironment,
  type Finished,
  finished,
  freePort,
  removeDataFolder,
  runNode,
  startServer,
  type TestServer,
} from "../support/server.ts";

const servers: TestServer[] = [];
const folders: string[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.remove()));
  await Promise.all(folders.splice(0).map(removeDataFolder));
});

async function server(env: Record<string, string> = {}): Promise<TestServer> {
  servers.push(await startServer(env));
  return servers.at(-1)!;
}

async function folder(): Promise<string> {
  folders.push(await mkdtemp(join(tmpdir(), "mave-start-")));
  return folders.at(-1)!;
}

/** Starts a server and waits for it to exit. */
async function start(env: Record<string, string>): Promise<Finished> {
  const place = env.MAVE_DATA_DIR ?? (await folder());
  const port = env.PORT ?? String(await freePort());
  return finished(runNode(["server/src/main.ts"], { ...cleanEnvironment(), ...env, PORT: port, MAVE_DATA_DIR: place }));
}

function expectSentence({ code, stdout, stderr }: Finished, sentence: RegExp): void {
  expect(stderr.trim()).toMatch(sentence);
  expect(stderr.trim().split("\n"), "one line").toHaveLength(1);
  expect(stdout + stderr, "no stack").not.toMatch(/^\s+at /m);
  expect(code).toBe(1);
}

describe("a server exits with code 1 and a one-line error", () => {
  test("if its port is in use", async () => {
    const busy = createServer().listen(0, "127.0.0.1");
    await once(busy, "listening");
    const { port } = busy.address() as { port: number };
    const place = await folder();
    expectSentence(
      await start({ PORT: String(port), MAVE_DATA_DIR: place }),
      new RegExp(
        `^Port ${port} is in use by another program\\. Stop that program, or use another port: PORT=${port + 1} npm start$`,
      ),
    );
    busy.close();
    expect(await findEmbeddedPostgres(place), "nothing was started").toBeNull();
  });

  test("if its address does not belong to this machine", async () => {
    expectSentence(await start({ HOST: "192.0.2.1" }), /^Mave cannot listen on 192\.0\.2\.1:\d+ \(.+\)\. Set HOST/);
  });

  test("if its data folder is not writable", async () => {
    expectSentence(
      await start({ MAVE_DATA_DIR: "/dev/null/data" }),
      /^The data folder \/dev\/null\/data is not writable/,
    );
  });

  test("if its data folder is in use by another server, which keeps running", async () => {
    const first = await server();
    expectSentence(
      await start({ MAVE_DATA_DIR: first.dataDir }),
      /^The data folder .+ is in use by another Mave server \(process \d+\)\. Stop that server first, or set MAVE_DATA_DIR .+\.$/,
    );
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
  });

  test("if its data folder was last used by a newer version, and stops the database it started", async () => {
    const first = await server();
    const db = openDatabase({ connection: (await findEmbeddedPostgres(first.dataDir))!, connections: 1 });
    await db.run({
      name: "test_newer",
      text: "insert into migrations (number, name, checksum) values (9999, '9999_later.sql', '')",
    });
    await db.close();
    await first.stop();
    expectSentence(
      await start({ MAVE_DATA_DIR: first.dataDir }),
      /^The database was last used by a newer Mave: it has migration 9999_later\.sql, .+ Start the newer version again/,
    );
    expect(await findEmbeddedPostgres(first.dataDir)).toBeNull();
  });

  test("if the database at DATABASE_URL does not respond, and does not reveal the password", async () => {
    const nobody = `postgres://mave:hunter2@127.0.0.1:${await freePort()}/mave`;
    const ended = await start({ DATABASE_URL: nobody });
    expectSentence(
      ended,
      /^The database at DATABASE_URL cannot be used \(.*ECONNREFUSED.*\)\. Check that it is running/,
    );
    expect(ended.stderr).not.toContain("hunter2");
  });

  test("if settings are invalid, plus one line for each invalid setting", async () => {
    const { code, stderr } = await start({ LOG_LEVEL: "loud", MAVE_ALOW_HTTP: "on" });
    expect(code).toBe(1);
    expect(stderr.trim().split("\n")).toEqual([
      "2 settings are invalid:",
      "  MAVE_ALOW_HTTP is not a setting. Did you mean MAVE_ALLOW_HTTP?",
      expect.stringMatching(/^ {2}LOG_LEVEL must be one of .+, not "loud"\. Example: LOG_LEVEL=info$/),
    ]);
  });
});

describe("a server that starts", () => {
  test("prints one line with the URL of the dashboard and a link to become the owner", async () => {
    const { output, url } = await server();
    await eventually(() => expect(output()).toContain("\n"));
    const lines = output().trim().split("\n");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(new RegExp(`^Mave is ready: ${url}/dashboard/ .*: ${url}/dashboard/link#[\\w-]{43}$`));
  });

  test("after a kill -9 reuses the database that is still running", async () => {
    const one = await server();
    const database = await readFile(join(one.dataDir, "postgres/cluster/postmaster.pid"), "utf8");
    await one.kill();
    await one.start(); // the benchmarks measure how long this takes
    expect(await readFile(join(one.dataDir, "postgres/cluster/postmaster.pid"), "utf8")).toBe(database);
  });

  test("with an external database does not start the embedded one", async () => {
    const one = await server({ DATABASE_URL: await testDatabaseUrl() });
    expect(await findEmbeddedPostgres(one.dataDir)).toBeNull();
    expect(
      (await fetch(`${one.url}/v1/videos`, { headers: { authorization: `Bearer ${await one.key()}` } })).status,
    ).toBe(200);
    expect(await one.stop()).toBe(0);
  });
});

describe("a shutdown", () => {
  test("by SIGTERM stops the database and exits with code 0", async () => {
    const one = await server();
    expect(await one.stop()).toBe(0);
    expect(await findEmbeddedPostgres(one.dataDir)).toBeNull();
  });

  test("during startup succeeds at every step", async () => {
    const place = await folder();
    const port = String(await freePort());
    const env = { ...cleanEnvironment(), LOG_LEVEL: "warn", MAVE_DATA_DIR: place, PORT: port };
    for (let moment_ms = 200; moment_ms <= 1_200; moment_ms += 200) {
      const child = runNode(["server/src/main.ts"], env);
      const ended = finished(child);
      await pause(moment_ms); // determines when the signal is sent
      child.kill("SIGTERM");
      const { code, stdout, stderr } = await ended;
      // The exit code is null if the signal arrived before the signal handlers were installed.
      expect(code, `after ${moment_ms} ms`).toBe(child.signalCode === null ? 0 : null);
      expect(stdout.replace(/^Mave is ready.*\n/, "") + stderr, `after ${moment_ms} ms`).toBe("");
      expect(await findEmbeddedPostgres(place), `after ${moment_ms} ms`).toBeNull();
    }
  });

  test("of an idle server does not wait for clients that keep connections open", async () => {
    const one = await server();
    await fetch(`${one.url}/healthz`);
    const begun = performance.now();
    expect(await one.stop()).toBe(0);
    expect(performance.now() - begun).toBeLessThan(LIMITS.KEEP_ALIVE_MS / 2);
  });

  test("of the launcher, even by SIGKILL, stops the server", async () => {
    const place = await folder();
    const port = await freePort();
    const env = { ...cleanEnvironment(), LOG_LEVEL: "warn", MAVE_DATA_DIR: place, PORT: String(port) };
    const launcher = runNode(["test/setup/launch-server.mjs"], env);
    await once(launcher.stdout!, "data");
    launcher.kill("SIGKILL");
    await expect
      .poll(() => fetch(`http://localhost:${port}/healthz`).catch(() => "gone"), { timeout: 30_000 })
      .toBe("gone");
    await expect.poll(() => findEmbeddedPostgres(place), { timeout: 30_000 }).toBeNull();
  });
});
