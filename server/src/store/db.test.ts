import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { testConnection, testDatabase } from "../../../test/support/database.ts";
import { startTcpProxy, type TcpProxy } from "../../../test/support/tcp-proxy.ts";
import { type Database, openDatabase, runEffects, type Statement, StatementOverrun } from "./db.ts";

const db = await testDatabase();
const insert: Statement = { name: "test_insert", text: "insert into notes (id) values ($1) returning id" };
const read: Statement = { name: "test_read", text: "select id from notes order by id" };
const insertAndTell: Statement = { name: "test_tell", text: `${insert.text}, pg_backend_pid() as pid` };
const backend: Statement = { name: "test_backend", text: "select pid from pg_stat_activity where pid = $1" };
const idle: Statement = { name: "test_idle", text: "show idle_in_transaction_session_timeout" };
const notes = async () => (await db.run<{ id: number }>(read)).map(({ id }) => id);

beforeAll(async () => {
  await db.run({ name: "test_table", text: "create table notes (id integer primary key)" });
});

describe("a transaction", () => {
  test("commits its last statement together with all earlier ones, and returns the last one's rows", async () => {
    const rows = await db.transaction(async (tx) => {
      await tx.run(insert, [1]);
      return tx.last(insert, [2]);
    });
    expect(rows).toEqual([{ id: 2 }]);
    expect(await notes()).toEqual([1, 2]);
  });

  test("rolls back if its last statement fails, even though the commit is sent along with that statement", async () => {
    const failing = db.transaction(async (tx) => {
      await tx.run(insert, [3]);
      return tx.last(insert, [1]);
    });
    await expect(failing).rejects.toMatchObject({ code: "23505" });
    expect(await notes()).toEqual([1, 2]);
    await db.transaction((tx) => tx.last(insert, [4])); // the connection is still usable
    expect(await notes()).toEqual([1, 2, 4]);
  });

  test("rolls back if a statement sent together with the last one fails", async () => {
    const failing = db.transaction((tx) => Promise.all([tx.run(insert, [1]), tx.last(insert, [5])]));
    await expect(failing).rejects.toMatchObject({ code: "23505" });
    expect(await notes()).toEqual([1, 2, 4]);
  });

  test("rejects a statement that follows its last one, because the last one is already committed", async () => {
    const late = db.transaction(async (tx) => {
      await tx.last(insert, [6]);
      await tx.run(insert, [7]);
    });
    await expect(late).rejects.toThrow("test_insert comes after the transaction's last statement");
    expect(await notes()).toEqual([1, 2, 4, 6]);
  });

  test("runs its own effects and those of joined transactions after the commit, before its caller continues", async () => {
    const seen: unknown[] = [];
    await db.transaction(async (tx) => {
      await tx.transaction(async (joined) => {
        await joined.run(insert, [10]);
        joined.afterCommit(async () => seen.push(await notes()));
      });
      expect(seen).toEqual([]);
    });
    expect(seen).toEqual([[1, 2, 4, 6, 10]]);
    await db.run({ name: "test_delete", text: "delete from notes where id = 10" });
  });

  test("runs no effects if it is rolled back or its commit fails", async () => {
    const effect = vi.fn();
    const rolledBack = db.transaction(async (tx) => {
      tx.afterCommit(effect);
      await tx.run(insert, [1]);
    });
    await expect(rolledBack).rejects.toMatchObject({ code: "23505" });
    await db.run({ name: "test_deferred", text: "alter table notes add unique (id) deferrable initially deferred" });
    const uncommitted = db.transaction(async (tx) => {
      tx.afterCommit(effect);
      await tx.run({ name: "test_move", text: "alter table notes drop constraint notes_pkey" });
      await tx.run(insert, [1]);
    });
    await expect(uncommitted).rejects.toMatchObject({ code: "23505" });
    expect(effect).not.toHaveBeenCalled();
  });

  test("reports an effect that fails, and still runs the others", async () => {
    const [reported, other] = [vi.fn(), vi.fn()];
    const fails = () => {
      throw new Error("a listener failed");
    };
    await runEffects([fails, other], reported);
    expect(reported).toHaveBeenCalledWith(new Error("a listener failed"));
    expect(other).toHaveBeenCalledOnce();
  });

  test("takes no connection before its first statement", async () => {
    const one = await db.transaction(async () => db.pool.idleCount + db.pool.waitingCount);
    expect(one).toBe(db.pool.totalCount);
  });

  test("is ended by the database if its process freezes, which releases its locks", async () => {
    expect(await db.run(idle)).toEqual([{ idle_in_transaction_session_timeout: "10s" }]);
    const frozen = db.transaction(async (tx) => {
      await tx.run({ name: "test_soon", text: "set local idle_in_transaction_session_timeout = '50ms'" });
      const [{ pid }] = (await tx.run<{ pid: number }>(insertAndTell, [8])) as [{ pid: number }];
      await expect.poll(() => db.run(backend, [pid])).toEqual([]);
      await tx.run(insert, [9]);
    });
    await expect(frozen).rejects.toThrow("connection error");
    await db.transaction((tx) => tx.run(insert, [8]));
    expect(await notes()).toEqual([1, 2, 4, 6, 8]);
  });
});

describe("a database that vanishes without closing its connections", () => {
  const STATEMENT_MS = 1_000;
  const one: Statement = { name: "test_one", text: "select 1 as one" };
  const sleep: Statement = { name: "test_sleep", text: "select pg_sleep(0.2)" };
  const pause: Statement = { name: "test_pause", text: "select pg_sleep(1.2)" };
  let proxy: TcpProxy;
  let far: Database;

  beforeAll(async () => {
    const { user, host, port, database } = { ...inject("postgres"), ...(await testConnection()) };
    proxy = await startTcpProxy({ path: `${host}/.s.PGSQL.${port}` });
    const connection = `postgres://${user}@127.0.0.1:${proxy.port}/${database}`;
    far = openDatabase({ connection, connections: 4, statement_ms: STATEMENT_MS });
    await far.run({ name: "test_table", text: "create table notes (id integer primary key)" });
    afterAll(async () => {
      await far.close();
      proxy.close();
    });
  });

  const fillPool = () => Promise.all(Array.from({ length: 4 }, () => far.run(sleep)));

  test("costs one statement its time limit, and the next ones open new connections", async () => {
    await fillPool();
    expect(far.pool.idleCount).toBe(4);
    proxy.blackHole();
    await expect(far.run(one)).rejects.toThrow(new StatementOverrun("test_one", STATEMENT_MS));
    proxy.heal();
    for (let count = 0; count < 4; count += 1) expect(await far.run(one)).toEqual([{ one: 1 }]);
    await fillPool();
  });

  test("fails the transaction that it interrupts, even in the middle of its commit", async () => {
    proxy.inspect = (bytes) => {
      if (bytes.includes("commit")) queueMicrotask(() => proxy.blackHole());
      return "pass";
    };
    const committing = far.transaction((tx) => tx.run(insert, [1]));
    await expect(committing).rejects.toThrow(new StatementOverrun("commit", STATEMENT_MS));
    proxy.inspect = undefined;
    proxy.heal();
    await far.transaction((tx) => tx.run(insert, [2]));
    expect(await far.run(read)).toContainEqual({ id: 2 });
  });

  test("is told apart from a slow statement, which PostgreSQL cancels without closing the connection", async () => {
    await fillPool();
    const before = far.pool.totalCount;
    await expect(far.run(pause)).rejects.toThrow("canceling statement due to statement timeout");
    expect(far.pool.totalCount).toBe(before - 1); // the pool replaces a connection after any failed statement
    await expect(far.transaction((tx) => tx.run(pause), 10_000)).resolves.toHaveLength(1);
  });
});
