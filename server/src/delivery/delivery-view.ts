import { unixSeconds } from "../kernel/clock.ts";
import type { EventType } from "../kernel/event-catalog.ts";
import { LIMITS } from "../kernel/limits.ts";
import { idSeconds, shortUuid } from "../kernel/short-uuid.ts";
import type { DeliveryRow, DeliveryStatus } from "../store/history.ts";

/** The API's representation of a delivery. Times are in Unix seconds. */
export interface DeliveryView {
  id: string;
  object: "delivery";
  created: number;
  webhook: string;
  event: string;
  type: EventType;
  video: string | null;
  sequence: number;
  previous: number;
  status: DeliveryStatus;
  reason: string | null;
  attempts: number;
  max_attempts: number;
  next_attempt: number | null;
  last_attempt: { started: number; status: number | null; error: string | null; duration_ms: number | null } | null;
  waits_for: string | null;
}

/** @param retries the number of retries in the schedule */
export function presentDelivery(row: DeliveryRow, retries: number): DeliveryView {
  const { status } = row;
  const waits = status === "waiting" || status === "retrying"; // a held delivery waits for a user to resume its webhook
  return {
    id: shortUuid(row.id),
    object: "delivery",
    created: idSeconds(row.id),
    webhook: shortUuid(row.webhook_id),
    event: shortUuid(row.event_id),
    type: row.type,
    video: row.video_id,
    sequence: row.sequence,
    previous: row.previous,
    status,
    reason: row.reason,
    attempts: row.attempts,
    max_attempts: maxAttempts(row, retries),
    next_attempt: waits && row.due_at ? unixSeconds(row.due_at.getTime()) : null,
    last_attempt: lastAttempt(row),
    waits_for: row.waits_for && shortUuid(row.waits_for),
  };
}

function maxAttempts({ step, attempts, status }: DeliveryRow, retries: number): number {
  if (step === null) return Math.max(attempts, 1);
  const once = step >= LIMITS.STEP_MANUAL;
  return once ? attempts + (status === "sending" ? 0 : 1) : Math.max(attempts, retries + 1);
}

function lastAttempt(row: DeliveryRow): DeliveryView["last_attempt"] {
  if (row.last_started_at === null) return null;
  const { response_status, error, duration_ms } = row;
  return { started: unixSeconds(row.last_started_at.getTime()), status: response_status, error, duration_ms };
}
