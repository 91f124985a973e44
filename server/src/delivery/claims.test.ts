import { expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { systemClock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import { createLog } from "../kernel/log.ts";
import { UUID_MIN } from "../kernel/uuid.ts";
import { Watchdog } from "../kernel/watchdog.ts";
import type { Database } from "../store/db.ts";
import { Claims } from "./claims.ts";
import { Lanes } from "./lanes.ts";

const db = await testDatabase();

test("releases that wait for a slow database are bounded, because the sweeper repeats those that are dropped", async () => {
  let released = 0;
  const watched: Database = {
    ...db,
    run(statement, values = []) {
      if (statement.name === "queue_release") released += JSON.parse(String(values[0])).length;
      return db.run(statement, values);
    },
  };
  const parts = { db: watched, clock: systemClock, log: createLog("silent", false), node: () => 1 };
  const watchdog = new Watchdog(systemClock);
  const claims = new Claims({ ...parts, watchdog, lanes: new Lanes(parts), onLeased() {}, onClaim() {} });
  const video = (n: number) => ({ space_id: UUID_MIN, webhook_id: UUID_MIN, video_id: `video ${n}` });
  claims.release(Array.from({ length: LIMITS.RELEASES_WAITING_MAX + 500 }, (_, n) => video(n)));
  await claims.stop();
  expect(released).toBe(LIMITS.RELEASES_WAITING_MAX);
}, 60_000);
