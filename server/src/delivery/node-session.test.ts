import type pg from "pg";
import { expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { systemClock } from "../clock.ts";
import { createLog } from "../log.ts";
import type { Database } from "../store/db.ts";
import { createNodeSession } from "./node-session.ts";

const db = await testDatabase();

test("a node takes its number back from a connection that only the server still believes in", async () => {
  const clients: pg.Client[] = [];
  const watched: Database = {
    ...db,
    async connect() {
      clients.push(await db.connect());
      return clients.at(-1)!;
    },
  };
  let losses = 0;
  const log = createLog("silent");
  const session = createNodeSession({ db: watched, clock: systemClock, log, onNotice() {}, onLost: () => losses++ });
  await session.start();
  expect(session.number()).toBe(1);
  const cut = clients[0]!;
  cut.end = () => new Promise<void>(() => {}); // what it says reaches nobody
  cut.emit("end");
  expect(losses).toBe(1);
  // Under another number its deliveries would soon be taken for a dead node's, while it is sending them.
  await eventually(() => expect(session.number()).not.toBeNull());
  expect(session.number()).toBe(1);
  await session.close();
});
