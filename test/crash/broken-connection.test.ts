import { expect, test } from "vitest";
import { openDatabase } from "../../server/src/store/db.ts";
import { testConnection } from "../support/database.ts";

const pid = { name: "own_pid", text: "select pg_backend_pid() as pid" };
const end = { name: "end_backend", text: "select pg_terminate_backend($1)" };

test("a connection that breaks inside a transaction fails the transaction, not the process", async () => {
  const connection = await testConnection();
  const db = openDatabase({ connection, connections: 2 });
  const other = openDatabase({ connection, connections: 1 });
  const broken = db.transaction(async (tx) => {
    const [row] = await tx.run<{ pid: number }>(pid);
    await other.run(end, [row!.pid]);
    await new Promise((resolve) => setTimeout(resolve, 100)); // the end arrives while no statement runs
    await tx.run(pid);
  });
  await expect(broken).rejects.toThrow();
  expect(await db.run(pid)).toHaveLength(1);
  await Promise.all([db.close(), other.close()]);
});
