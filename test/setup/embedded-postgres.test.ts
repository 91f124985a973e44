import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createLog } from "../../server/src/kernel/log.ts";
import {
  type Connection,
  type EmbeddedPostgres,
  findEmbeddedPostgres,
  startEmbeddedPostgres,
} from "../../server/src/store/embedded-postgres.ts";
import { eventually } from "../support/eventually.ts";
import { finished, removeDataFolder, runNode } from "../support/server.ts";

const log = createLog("silent");
let folder: string;
let running: EmbeddedPostgres[] = [];
let lost: Error[] = [];

let template: string;
beforeAll(async () => {
  template = await mkdtemp(join(tmpdir(), "mave-embedded-template-"));
  await (await start(template)).end();
});
afterAll(() => removeDataFolder(template));

/** Copies an initialized data folder, because initializing one takes a second. */
async function copyOf(original: string): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), "mave-embedded-"));
  await chmod(parent, 0o755); // if the tests run as root, PostgreSQL runs as another user, which needs access
  const copy = join(parent, "data");
  await once(spawn("cp", ["-a", original, copy]), "exit");
  return copy;
}

beforeEach(async () => {
  folder = await copyOf(template);
  running = [];
  lost = [];
});
afterEach(async () => {
  await Promise.all(running.map((each) => each.end()));
  await removeDataFolder(folder);
  await rm(dirname(folder), { recursive: true });
  expect(lost).toEqual([]);
});

async function start(place = folder): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ folder: place, log, onLost: (why) => lost.push(why) });
  running.push(postgres);
  return postgres;
}

async function ask<Row>(connection: Connection, text: string): Promise<Row> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    return (await client.query(text)).rows[0] as Row;
  } finally {
    await client.end();
  }
}

const postmaster = async (place = folder): Promise<number> =>
  Number.parseInt(await readFile(join(place, "postgres/cluster/postmaster.pid"), "utf8"), 10);

/** Starts a process that runs the database until the process is killed. */
async function otherProcess(): Promise<{ kill(): Promise<void> }> {
  const child = runNode(["test/setup/own-database.ts", folder], { ...process.env });
  await Promise.race([
    once(child.stdout!, "data"),
    finished(child).then(({ stderr }) => Promise.reject(new Error(stderr))),
  ]);
  return {
    async kill() {
      const end = once(child, "exit");
      child.kill("SIGKILL");
      await end;
    },
  };
}

describe("the embedded PostgreSQL", () => {
  test("keeps its data across restarts and has no TCP port", async () => {
    const first = await start();
    await ask(first.connection, "create table kept as select 7 as number");
    await first.end();
    expect(await findEmbeddedPostgres(folder)).toBeNull();
    const second = await start();
    expect(await ask(second.connection, "select number from kept")).toEqual({ number: 7 });
    expect(await ask(second.connection, "select current_setting('listen_addresses') as tcp")).toEqual({ tcp: "" });
  });

  test("runs with the settings that durability requires", async () => {
    const { connection } = await start();
    const text = `select current_setting('fsync') as a, current_setting('full_page_writes') as b,
      current_setting('synchronous_commit') as c`;
    expect(await ask(connection, text)).toEqual({ a: "on", b: "on", c: "on" });
  });

  test("is accessible only to its owner", async () => {
    const { connection } = await start();
    for (const place of [connection.host, join(folder, "postgres/cluster")]) {
      expect((await stat(place)).mode & 0o077, place).toBe(0);
    }
  });
});

describe("after a kill -9 of the server", () => {
  test("a restart reuses the running database", async () => {
    const other = await otherProcess();
    const pid = await postmaster();
    await other.kill();
    const { connection } = await start();
    expect(await postmaster()).toBe(pid);
    expect(await ask(connection, "select 1 as one")).toEqual({ one: 1 });
  });

  test("a restart recovers the database, even if it was killed too", async () => {
    const other = await otherProcess();
    process.kill(await postmaster(), "SIGKILL");
    await other.kill();
    const { connection } = await start();
    expect(await ask(connection, "select 1 as one")).toEqual({ one: 1 });
  });

  test("a restart ignores a lock file whose process ID now belongs to another program", async () => {
    const first = await start();
    const file = join(folder, "postgres/cluster/postmaster.pid");
    const text = await readFile(file, "utf8");
    await first.end();
    const stranger = spawn("sleep", ["60"]);
    try {
      await writeFile(file, text.replace(/^\d+/, String(stranger.pid)));
      const { connection } = await start();
      expect(await ask(connection, "select 1 as one")).toEqual({ one: 1 });
    } finally {
      stranger.kill();
    }
  });
});

test("a second server on the same data folder fails to start, and its error names the first server's process", async () => {
  const other = await otherProcess();
  await expect(start()).rejects.toThrow(
    new RegExp(
      `The data folder ${folder} is in use by another Mave server \\(process \\d+\\)\\. Stop that server first`,
    ),
  );
  await other.kill();
  await start();
});

test("if two servers start in an empty folder at the same time, exactly one succeeds", async () => {
  await removeDataFolder(folder);
  const outcomes = await Promise.allSettled([start(), start()]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
});

test("the database is restarted if it crashes while the server runs", async () => {
  const { connection } = await start();
  const before = await postmaster();
  process.kill(before, "SIGKILL");
  await eventually(async () => {
    expect(await ask(connection, "select 1 as one")).toEqual({ one: 1 });
    expect(await postmaster()).not.toBe(before);
  });
});

test("a server starts even if its first start was killed halfway", async () => {
  await removeDataFolder(folder);
  const dead = spawn("true");
  await once(dead, "exit");
  const half = join(folder, `postgres/cluster.half-${dead.pid}-1`);
  await mkdir(half, { recursive: true });
  await writeFile(join(half, "PG_VERSION"), "18\n");
  const { connection } = await start();
  expect(await ask(connection, "select 1 as one")).toEqual({ one: 1 });
  expect((await readdir(join(folder, "postgres"))).filter((name) => name.includes("half"))).toEqual([]);
});

test("a data folder from another PostgreSQL version is rejected, and the error explains how to migrate it", async () => {
  const first = await start();
  await first.end();
  await writeFile(join(folder, "postgres/cluster/PG_VERSION"), "17\n");
  await expect(start()).rejects.toThrow(
    /contains a PostgreSQL 17 database, but this version of Mave includes PostgreSQL 18\. Start the version of Mave/,
  );
});

test("if a data folder's path is too long for a socket, a shorter socket path is used and removed at shutdown", async () => {
  const deep = join(dirname(folder), "a-folder-with-a-long-name".repeat(4));
  await once(spawn("cp", ["-a", folder, deep]), "exit");
  const { connection, end } = await start(deep);
  expect(Buffer.byteLength(join(connection.host, ".s.PGSQL.5432"))).toBeLessThanOrEqual(103);
  expect(connection.host.startsWith(deep)).toBe(false);
  expect(await ask(connection, "select 1 as one")).toEqual({ one: 1 });
  expect(await findEmbeddedPostgres(deep)).toEqual(connection);
  await end();
  await expect(access(connection.host)).rejects.toThrow("ENOENT");
});

test("the error for a data folder that is not writable names the folder", async () => {
  await expect(start("/dev/null/data")).rejects.toThrow(
    /^The data folder \/dev\/null\/data is not writable \(.+\)\. Make it writable .+ MAVE_DATA_DIR to a different folder\.$/,
  );
});

test.runIf(process.getuid?.() === 0)(
  "for root, a database in a folder that other users cannot access is stored in a shared folder",
  async () => {
    const closed = await mkdtemp("/root/mave-embedded-");
    try {
      const { connection, end } = await start(closed);
      expect(connection.host).toMatch(/^\/var\/lib\/mave\/databases\/db-/);
      expect(await ask(connection, "select 1 as one")).toEqual({ one: 1 });
      await end();
      expect(await ask((await start(closed)).connection, "select 2 as two")).toEqual({ two: 2 });
      await running.at(-1)!.end();
      const moved = join(closed, "moved");
      await once(spawn("cp", ["-a", folder, moved]), "exit");
      await expect(start(moved)).rejects.toThrow(/only root can access it there.+ such as \/var\/lib/);
    } finally {
      await running.at(-1)?.end();
      await removeDataFolder(closed);
    }
  },
);

test("the error for a failed start contains PostgreSQL's message", async () => {
  const first = await start();
  await first.end();
  await rm(join(folder, "postgres/cluster/global/pg_control"));
  await expect(start()).rejects.toThrow(/The embedded PostgreSQL in .+ did not start: .*pg_control/);
});

test("a copy of a data folder is a separate database", async () => {
  const copy = await copyOf(folder);
  try {
    const [one, other] = [await start(), await start(copy)];
    expect(one.connection.host).not.toBe(other.connection.host);
    await other.end();
    expect(await ask(one.connection, "select 1 as one")).toEqual({ one: 1 });
  } finally {
    await removeDataFolder(copy);
  }
});
