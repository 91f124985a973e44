import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { openDatabase } from "../../server/src/store/db.ts";
import { sharesSessions } from "../../server/src/store/pooler.ts";
import { pass, setScene } from "../crash/scene.ts";
import { testConnection } from "../support/database.ts";
import { without } from "../support/machine.ts";
import { startPgbouncer } from "../support/pgbouncer.ts";
import { cleanEnvironment, finished, freePort, runNode } from "../support/server.ts";

test("a database's own address is not taken for a pooler's", async () => {
  const db = openDatabase({ connection: await testConnection(), connections: 1 });
  expect(await sharesSessions(db)).toBe(false);
  await db.close();
});

describe.skipIf(without("pgbouncer"))("behind a connection pooler", { timeout: 240_000 }, () => {
  test("that shares sessions the start is refused, with what to do", async () => {
    const folder = await mkdtemp(join(tmpdir(), "mave-pooled-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const env = {
      ...cleanEnvironment(),
      DATABASE_URL: await startPgbouncer(await testConnection(), "transaction"),
      MAVE_DATA_DIR: folder,
      PORT: String(await freePort()),
    };
    const { code, stderr } = await finished(runNode(["server/src/main.ts"], env));
    expect(stderr).toMatch(
      /^DATABASE_URL leads to a connection pooler that shares sessions .+ \(pool_mode = session\)\.$/m,
    );
    expect(code).toBe(1);
  });

  test("that keeps whole sessions everything is delivered, and the ledger agrees", async () => {
    const url = await startPgbouncer(await testConnection(), "session");
    const scene = await setScene({ DATABASE_URL: url }, ["/healthy", "/flaky"]);
    const load = scene.load({ callers: 2, pause_ms: 100 });
    await pass(1_500);
    await load.stop();
    await scene.drained();
    const ledger = await scene.compare(load);
    expect(ledger.findings).toEqual([]);
    expect(ledger.duplicates).toBe(0);
  });
});
