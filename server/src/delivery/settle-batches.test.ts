import { expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { engineParts, happen } from "../../../test/support/engine.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { settlement } from "../../../test/support/settlement.ts";
import { systemClock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import { createLog } from "../kernel/log.ts";
import { longUuid } from "../kernel/short-uuid.ts";
import { claimDue } from "../store/queue/claim.ts";
import { SettleBatches, type SettledBatch } from "./settle-batches.ts";

const db = await testDatabase();
const parts = await engineParts(db);
const ask = <Row>(text: string) => db.run<Row>({ name: "", text });

/** Leases this many deliveries, and settles them in one batch. */
async function settled(count: number, broken: number) {
  const input = { url: "https://r.example.com/", events: ["video.created" as const] };
  const webhook = longUuid((await parts.webhooks.create(db, parts.space, input)).id)!;
  for (let n = 0; n < count; n++) await happen(parts, `SETTLE${webhook.slice(-3)}${n}`);
  const lease = { node: 1, lease_ms: LIMITS.LEASE_MS, leased_ms: 0 };
  const leased = await claimDue(db, [{ webhook_id: webhook, slots: count }], lease);
  const batches: SettledBatch[] = [];
  const settles = new SettleBatches({
    ...{ db, clock: systemClock, log: createLog("silent", false), watchdog: parts.watchdog },
    onSettle() {},
    onSettled: (batch) => batches.push(batch),
  });
  leased.forEach((delivery, index) => {
    settles.add(delivery, settlement(delivery, index === broken ? { response_headers: "not JSON" } : {}));
  });
  await eventually(() => expect(settles.pending).toBe(0));
  return { webhook, batches };
}

test("an attempt whose response cannot be stored does not prevent the others in its batch from being settled", async () => {
  const { webhook, batches } = await settled(5, 2);
  expect(batches.flatMap(({ deliveries }) => deliveries)).toHaveLength(5);
  expect(batches.flatMap(({ lost }) => lost)).toEqual([]);
  expect(await ask(`select from pending_deliveries where webhook_id = '${webhook}'`)).toEqual([]);
  const attempts = await ask<{ note: string | null; response_status: number }>(
    `select a.note, a.response_status from attempts a join deliveries d on d.id = a.delivery_id
     where d.webhook_id = '${webhook}' order by d.id`,
  );
  expect(attempts.map(({ note }) => note)).toEqual([
    ...[null, null, "The details of this attempt could not be stored.", null, null],
  ]);
  expect(attempts.every(({ response_status }) => response_status === 200)).toBe(true);
});
