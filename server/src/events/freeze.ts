import { unixSeconds } from "../kernel/clock.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import type { OpenSpan, Tracing } from "../kernel/trace.ts";
import type { FrozenEvent } from "../store/queue/record.ts";

/** An event to be recorded. It has no id yet. */
export interface NewEvent extends Omit<FrozenEvent, "uuid" | "id" | "payload"> {
  /**
   * When the video was created, in Unix seconds. The search for the video's earlier events starts here, because none
   * can be older.
   */
  since_s?: number;
  /** The video or webhook as the API returns it at the time of the event. */
  data: object;
}

/** Encodes an event once, with its fields in the documented order. */
export function freeze(uuid: string, event: NewEvent, now_ms: number): FrozenEvent {
  const { type, data } = event;
  const id = shortUuid(uuid);
  const payload = JSON.stringify({ id, object: "event", type, created: unixSeconds(now_ms), data });
  return { ...event, uuid, id, payload };
}

/**
 * Begins the span that ends when the event commits. Its parent is the span of the request that caused the event,
 * because one transaction may contain events from several requests. The span must begin before the insert, because the
 * event's row stores it as the parent of the attempts' spans.
 */
export function beginEvent(tracing: Tracing, event: FrozenEvent, begun_ms: number): OpenSpan {
  const { id, type, video, traceparent = tracing.traceparent() } = event;
  const attributes = { "mave.event": id, "mave.event_type": type, ...(video && { "mave.video": video }) };
  return tracing.begin({ name: `record ${type}`, kind: "producer", traceparent, begun_ms, attributes });
}
