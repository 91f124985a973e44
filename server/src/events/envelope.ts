import { unixSeconds } from "../kernel/clock.ts";
import type { EventType } from "../kernel/event-catalog.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import type { TraceParent } from "../kernel/trace.ts";

/** What happened, before it has an id: what a domain hands to `record`. */
export interface Happening {
  space: string;
  type: EventType;
  /** The video it is about; null for events about the webhooks themselves. */
  video: string | null;
  /** The event's number within its video, from 1, as the change's own statement counted it; 0 without a video. */
  sequence: number;
  /** When its video was created, Unix seconds: nothing is older than that, and looking for it costs less. */
  since_s?: number;
  /** The object as the API shows it at this moment. */
  data: object;
  /** The id (UUID) of the only webhook it is for. */
  only?: string;
  /** The id (UUID) of a webhook it is not for. */
  except?: string;
  /** Attempted once, never retried. */
  once?: boolean;
  /** Where in a trace it comes from; left out: from the code that records it. */
  traceparent?: TraceParent | null;
}

export interface Envelope {
  /** UUID, version 7. */
  uuid: string;
  /** The id that the outside sees. */
  id: string;
  /** The frozen bytes: what is signed and sent, by every attempt to every webhook. */
  payload: string;
}

/** Freezes an event: its fields in the documented order, encoded once and never again. */
export function freeze(uuid: string, { type, data }: Pick<Happening, "type" | "data">, now_ms: number): Envelope {
  const id = shortUuid(uuid);
  return { uuid, id, payload: JSON.stringify({ id, object: "event", type, created: unixSeconds(now_ms), data }) };
}
