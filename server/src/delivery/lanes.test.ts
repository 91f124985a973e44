import { expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { systemClock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import { createLog } from "../kernel/log.ts";
import type { LeasedDelivery } from "../store/queue/claim.ts";
import { Lanes } from "./lanes.ts";

const db = await testDatabase();

test("a node whose memory is full of deliveries leases no more until some of them have been sent", () => {
  const lanes = new Lanes({ db, clock: systemClock, log: createLog("silent", false), node: () => 1 });
  for (let n = 0; n < LIMITS.DELIVERIES_QUEUED_MAX - 1; n++)
    lanes.add({ webhook_id: `webhook ${n % 1_000}` } as LeasedDelivery);
  expect(lanes.lease()).toMatchObject({ node: 1 });
  lanes.add({ webhook_id: "webhook 0" } as LeasedDelivery);
  expect([lanes.queued, lanes.lease()]).toEqual([LIMITS.DELIVERIES_QUEUED_MAX, null]);
  lanes.next()!.shift();
  expect(lanes.lease()).toMatchObject({ node: 1 });
});
