import type { Recorder } from "../events/record.ts";
import type { Clock } from "../kernel/clock.ts";
import { MaveError } from "../kernel/errors.ts";
import type { EventType } from "../kernel/event-catalog.ts";
import { requireFound, requireUuid } from "../kernel/not-found.ts";
import type { Transactional } from "../store/db.ts";
import { getDeliveryOf } from "../store/history.ts";
import { getWebhook } from "../store/webhooks.ts";
import { sampleOf } from "../webhooks/sample.ts";
import type { Vault } from "../webhooks/secrets.ts";
import { presentWebhook } from "../webhooks/webhook.ts";
import { type DeliveryView, presentDelivery } from "./delivery-view.ts";

interface TestEventParts {
  recorder: Recorder;
  vault: Vault;
  clock: Clock;
  publicUrl: string;
}

/**
 * Sends a sample event to one webhook, even if the webhook is not subscribed to the event's type. The delivery is
 * attempted only once.
 * @param id the webhook's short id
 * @throws NOT_FOUND; CONFLICT if the webhook is not enabled
 */
export type SendTest = (db: Transactional, space: string, id: string, type: EventType) => Promise<DeliveryView>;

export function createSendTest({ recorder, vault, clock, publicUrl }: TestEventParts): SendTest {
  return async (db, space, id, type) => {
    const webhook = requireFound(await getWebhook(db, space, requireUuid(id)));
    if (webhook.status !== "enabled")
      throw new MaveError("CONFLICT", `This webhook is ${webhook.status}. Resume it first.`);
    const data = sampleOf(type, presentWebhook(webhook, vault), publicUrl, clock.now());
    const event = { space, type, video: null, sequence: 0, data, only: webhook.id, once: true };
    return db.transaction(async (tx) => {
      const recorded = await recorder.record(tx, event);
      const row = await getDeliveryOf(tx, space, recorded.uuid, webhook.id);
      return presentDelivery(requireFound(row), 0); // no row if the webhook was deleted in the meantime
    });
  };
}
