import { unixSeconds } from "../kernel/clock.ts";
import { MaveError } from "../kernel/errors.ts";
import type { EventType } from "../kernel/event-catalog.ts";
import { type Page, type PageQuery, pageOf } from "../kernel/page.ts";
import { idSeconds, longUuid, shortUuid } from "../kernel/short-uuid.ts";
import type { Database } from "../store/db.ts";
import * as store from "../store/events.ts";

export interface EventQuery extends PageQuery {
  type?: EventType[] | undefined;
  video?: string | undefined;
  /** Defaults to `asc` (oldest first), for polling. */
  order?: "asc" | "desc" | undefined;
}

/** A recorded event as the API returns it: the recorded object with its sequence number added. */
export interface RecordedEvent {
  id: string;
  type: EventType;
  video: string | null;
  /**
   * The JSON that the API returns, which is the recorded payload with `sequence` inserted before the last brace, or the
   * remaining fields of an erased event.
   */
  json: string;
}

/** A space's events in commit order. A client that resumes after the last event it saw misses nothing. */
export interface Events {
  list(space: string, query: EventQuery): Promise<Page<RecordedEvent>>;
  /** @throws NOT_FOUND */
  get(space: string, id: string): Promise<RecordedEvent>;
  /**
   * Returns the id of the newest event, or null if there is none. A stream without a start position starts after this
   * event.
   */
  last(space: string): Promise<string | null>;
}

export function createEvents({ db }: { db: Database }): Events {
  return {
    list: (space, query) => list(db, space, query),
    async get(space, id) {
      const uuid = longUuid(id);
      const row = uuid === null ? undefined : await store.getEvent(db, space, uuid);
      if (row === undefined) throw new MaveError("NOT_FOUND");
      return present(row);
    },
    async last(space) {
      const [row] = await store.listEventsBackward(db, space, { types: null, video: null }, null, 1);
      return row === undefined ? null : shortUuid(row.id);
    },
  };
}

async function list(db: Database, space: string, query: EventQuery): Promise<Page<RecordedEvent>> {
  const filter = { types: query.type ?? null, video: query.video ?? null };
  const forward = (cursor: string | null, limit: number) => store.listEventsForward(db, space, filter, cursor, limit);
  const backward = (cursor: string | null, limit: number) => store.listEventsBackward(db, space, filter, cursor, limit);
  const directions =
    query.order === "desc" ? { after: backward, before: forward } : { after: forward, before: backward };
  return pageOf(query, longUuid, present, directions);
}

function present(row: store.EventRow): RecordedEvent {
  const { type, video_id: video, payload, sequence } = row;
  const json = payload === null ? erasedJson(row) : `${payload.slice(0, -1)},"sequence":${sequence}}`;
  return { id: shortUuid(row.id), type, video, json };
}

/**
 * Returns an erased event with the same fields as any other, so that all events in a list have the same shape. The time
 * comes from the event's id.
 */
function erasedJson({ id, type, video_id: video, sequence, erased_at }: store.EventRow): string {
  const event = { id: shortUuid(id), object: "event", type, created: idSeconds(id) };
  return JSON.stringify({ ...event, data: null, sequence, video, erased: unixSeconds(erased_at!.getTime()) });
}
