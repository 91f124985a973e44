import { type FieldError, MaveError } from "../kernel/errors.ts";
import { longUuid } from "../kernel/short-uuid.ts";
import { UUID_MAX, UUID_MIN, uuidFloor } from "../kernel/uuid.ts";
import type { Sql } from "../store/db.ts";
import { getWebhook } from "../store/webhooks.ts";

/** A range of event times in Unix seconds; `until` is exclusive. */
export interface TimeRange {
  since?: number | undefined;
  until?: number | undefined;
}

/**
 * Returns bounds for the delivery ids of an event or, if no event is given, of a time range. A delivery's id shares its
 * first half with its event's id, which starts with the event's time.
 */
export function idRange({ since, until }: TimeRange, event: string | null): { low: string; high: string } {
  if (event !== null)
    return { low: `${event.slice(0, 18)}-0000-000000000000`, high: `${event.slice(0, 18)}-ffff-ffffffffffff` };
  return {
    low: since === undefined ? UUID_MIN : uuidFloor(since * 1000),
    high: until === undefined ? UUID_MAX : uuidFloor(until * 1000),
  };
}

/** Returns the webhook's UUID, or null if this space has no such webhook. */
export async function findWebhook(sql: Sql, space: string, id: string): Promise<string | null> {
  const uuid = longUuid(id);
  return uuid === null ? null : ((await getWebhook(sql, space, uuid))?.id ?? null);
}

export const NO_WEBHOOK: FieldError = { path: "/webhook", detail: "There is no webhook with this id." };

export function invalid(...errors: [FieldError, ...FieldError[]]): MaveError {
  return new MaveError("REQUEST_INVALID", errors[0].detail, { errors });
}
