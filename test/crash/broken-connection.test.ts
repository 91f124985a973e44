import { describe, expect, test } from "vitest";
import { openDatabase } from "../../server/src/store/db.ts";
import { testConnection } from "../support/database.ts";

const backendPid = { name: "test_backend_pid", text: "select pg_backend_pid() as pid" };
const terminate = { name: "test_terminate", text: "select pg_terminate_backend($1)" };

describe("a connection that breaks during a transaction", () => {
  test("fails the transaction but not the process", async () => {
    const connection = await testConnection();
    const db = openDatabase({ connection, connections: 2 });
    const other = openDatabase({ connection, connections: 1 });
    const broken = db.transaction(async (tx) => {
      const [row] = await tx.run<{ pid: number }>(backendPid);
      await other.run(terminate, [row!.pid]);
      await new Promise((resolve) => setTimeout(resolve, 100)); // lets the connection end while no statement is running
      await tx.run(backendPid);
    });
    await expect(broken).rejects.toThrow();
    expect(await db.run(backendPid)).toHaveLength(1);
    await Promise.all([db.close(), other.close()]);
  });
});
