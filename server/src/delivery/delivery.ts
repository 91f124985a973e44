import { unixSeconds } from "../kernel/clock.ts";
import type { EventType } from "../kernel/event-catalog.ts";
import { LIMITS } from "../kernel/limits.ts";
import { idSeconds, shortUuid } from "../kernel/short-uuid.ts";
import type { WebhookStatus } from "../webhooks/webhook.ts";

/**
 * A delivery: its states, and how it is shown. Pure. ARCHITECTURE.md draws them.
 *
 * An open delivery's state is not stored. It is `sending` while its lease lasts, else `held` while its webhook is paused or
 * disabled, else `retrying` where an attempt was begun and `waiting` where none was, or where an earlier event of its video
 * is open. A finished one's is stored; opened again, by hand or by a replay, it is open as any other, with its attempts
 * behind it. A lease is taken by the record, `claim` and `release`, each of which raises the attempt number, and given up by
 * `settle`, which matches the number that it was taken with.
 */
export type PendingStatus = "waiting" | "sending" | "retrying" | "held";
export type FinishedStatus = "succeeded" | "failed" | "canceled";
export type DeliveryStatus = PendingStatus | FinishedStatus;

/** The API's object for a delivery. Times are Unix seconds. */
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

/** A delivery as the store finds it, open or finished. */
export interface DeliveryRow {
  space_id: string;
  id: string;
  webhook_id: string;
  event_id: string;
  type: EventType;
  video_id: string | null;
  sequence: number;
  previous: number;
  attempts: number;
  reason: string | null;
  /** null while it is open. */
  finished: FinishedStatus | null;
  /** The next five: of an open one, else null. */
  step: number | null;
  sending: boolean | null;
  blocked: boolean | null;
  due_at: Date | null;
  waits_for: string | null;
  /** null where the webhook was deleted. */
  webhook_status: WebhookStatus | null;
  last_started_at: Date | null;
  response_status: number | null;
  error: string | null;
  duration_ms: number | null;
}

/** @param retries how many the schedule has */
export function presentDelivery(row: DeliveryRow, retries: number): DeliveryView {
  const status = statusOf(row);
  const waits = status === "waiting" || status === "retrying" || status === "held";
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
    next_attempt: waits && row.due_at && !row.blocked ? unixSeconds(row.due_at.getTime()) : null,
    last_attempt: lastAttempt(row),
    waits_for: row.blocked && row.waits_for ? shortUuid(row.waits_for) : null,
  };
}

export function statusOf(
  row: Pick<DeliveryRow, "finished" | "sending" | "blocked" | "webhook_status" | "attempts">,
): DeliveryStatus {
  if (row.finished !== null) return row.finished;
  if (row.sending) return "sending";
  if (row.webhook_status !== "enabled") return "held";
  return row.blocked || row.attempts === 0 ? "waiting" : "retrying";
}

function maxAttempts({ step, attempts, sending, finished }: DeliveryRow, retries: number): number {
  if (finished !== null) return Math.max(attempts, 1);
  const once = step !== null && step >= LIMITS.STEP_MANUAL;
  return once ? attempts + (sending ? 0 : 1) : Math.max(attempts, retries + 1);
}

function lastAttempt(row: DeliveryRow): DeliveryView["last_attempt"] {
  if (row.last_started_at === null) return null;
  const { response_status, error, duration_ms } = row;
  return { started: unixSeconds(row.last_started_at.getTime()), status: response_status, error, duration_ms };
}
