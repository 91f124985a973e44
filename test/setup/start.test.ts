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

/** A start that is expected to fail. */
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

describe("a start that cannot succeed ends with code 1 and one sentence: what, why, what to do", () => {
  test("the port is busy", async () => {
    const busy = createServer().listen(0, "127.0.0.1");
    await once(busy, "listening");
    const { port } = busy.address() as { port: number };
    const place = await folder();
    expectSentence(
      await start({ PORT: String(port), MAVE_DATA_DIR: place }),
      new RegExp(
        `^Port ${port} is in use by another program\\. Stop that one, or choose another port: PORT=${port + 1} npm start$`,
      ),
    );
    busy.close();
    expect(await findEmbeddedPostgres(place), "nothing was started").toBeNull();
  });

  test("the address is not this machine's", async () => {
    expectSentence(
      await start({ HOST: "192.0.2.1" }),
      /^The address 192\.0\.2\.1:\d+ cannot be listened on \(.+\)\. Set HOST/,
    );
  });

  test("the data folder cannot be written", async () => {
    expectSentence(
      await start({ MAVE_DATA_DIR: "/dev/null/data" }),
      /^The data folder \/dev\/null\/data cannot be written/,
    );
  });

  test("the data folder is in use by another server, which goes on", async () => {
    const first = await server();
    expectSentence(
      await start({ MAVE_DATA_DIR: first.dataDir }),
      /^The data folder .+ is in use by another running Mave \(process \d+\)\. Stop that one first, or give this one .+ MAVE_DATA_DIR\.$/,
    );
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
  });

  test("the data folder was last used by a newer version; its database is ended again", async () => {
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
      /^The database was last used by a newer Mave: it holds migration 9999_later\.sql, .+ Start the newer version again/,
    );
    expect(await findEmbeddedPostgres(first.dataDir)).toBeNull();
  });

  test("the database of DATABASE_URL does not answer, and its password is not shown", async () => {
    const nobody = `postgres://mave:hunter2@127.0.0.1:${await freePort()}/mave`;
    const ended = await start({ DATABASE_URL: nobody });
    expectSentence(ended, /^The database of DATABASE_URL cannot be used \(.*ECONNREFUSED.*\)\. Check that it runs/);
    expect(ended.stderr).not.toContain("hunter2");
  });

  test("settings are wrong: all of them, a line each", async () => {
    const { code, stderr } = await start({ LOG_LEVEL: "loud", MAVE_ALOW_HTTP: "on" });
    expect(code).toBe(1);
    expect(stderr.trim().split("\n")).toEqual([
      "2 settings are wrong:",
      "  MAVE_ALOW_HTTP is not a setting of Mave. Perhaps MAVE_ALLOW_HTTP is meant",
      expect.stringMatching(/^ {2}LOG_LEVEL is "loud", which is none of .+\. Example: LOG_LEVEL=info$/),
    ]);
  });
});

describe("a start", () => {
  test("prints one line with the dashboard's address and a link that makes the owner", async () => {
    const { output, url } = await server();
    await eventually(() => expect(output()).toContain("\n"));
    const lines = output().trim().split("\n");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(new RegExp(`^Mave is ready: ${url}/dashboard/ .*: ${url}/dashboard/link#[\\w-]{43}$`));
  });

  test("after a kill -9 is ready again, on the database that lives on", async () => {
    const one = await server();
    const database = await readFile(join(one.dataDir, "postgres/cluster/postmaster.pid"), "utf8");
    await one.kill();
    await one.start(); // how long it takes is the bench's to say
    expect(await readFile(join(one.dataDir, "postgres/cluster/postmaster.pid"), "utf8")).toBe(database);
  });

  test("on an outside database uses that one and starts none of its own", async () => {
    const one = await server({ DATABASE_URL: await testDatabaseUrl() });
    expect(await findEmbeddedPostgres(one.dataDir)).toBeNull();
    expect(
      (await fetch(`${one.url}/v1/videos`, { headers: { authorization: `Bearer ${await one.key()}` } })).status,
    ).toBe(200);
    expect(await one.stop()).toBe(0);
  });
});

describe("an end", () => {
  test("by SIGTERM takes the database along and leaves code 0", async () => {
    const one = await server();
    expect(await one.stop()).toBe(0);
    expect(await findEmbeddedPostgres(one.dataDir)).toBeNull();
  });

  test("in the middle of a start is an end, not a failure, whatever was just being started", async () => {
    const place = await folder();
    const port = String(await freePort());
    const env = { ...cleanEnvironment(), LOG_LEVEL: "warn", MAVE_DATA_DIR: place, PORT: port };
    for (let moment_ms = 200; moment_ms <= 1_200; moment_ms += 200) {
      const child = runNode(["server/src/main.ts"], env);
      const ended = finished(child);
      await pause(moment_ms); // not a wait for something: the moment at which it is ended
      child.kill("SIGTERM");
      const { code, stdout, stderr } = await ended;
      expect(code, `after ${moment_ms} ms`).toBe(child.signalCode === null ? 0 : null); // null: nothing was started yet
      expect(stdout.replace(/^Mave is ready.*\n/, "") + stderr, `after ${moment_ms} ms`).toBe("");
      expect(await findEmbeddedPostgres(place), `after ${moment_ms} ms`).toBeNull();
    }
  });

  test("of an idle server does not wait for a client that keeps its connection", async () => {
    const one = await server();
    await fetch(`${one.url}/healthz`);
    const begun = performance.now();
    expect(await one.stop()).toBe(0);
    expect(performance.now() - begun).toBeLessThan(LIMITS.KEEP_ALIVE_MS / 2);
  });

  test("of the launcher ends the server, even by SIGKILL", async () => {
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
