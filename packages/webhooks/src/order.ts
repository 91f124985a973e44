/** An inbox that handles each event once and in order per video, and fetches events that were never delivered. */
import type { Delivery } from "./delivery.ts";
import type { EventSource, SequencedEvent } from "./event-source.ts";
import type { EventType, MaveEvent } from "./events.ts";
import type { InboxStore, Marks } from "./inbox-store.ts";

export { type EventSource, eventsFrom, type SequencedEvent } from "./event-source.ts";
export { type InboxStore, type Marks, memoryStore, type Position } from "./inbox-store.ts";

/** The context passed to `handle` with each event. */
export interface Arrival<Tx> {
  /** The store's transaction. Writes through it commit or roll back together with the event's mark. */
  tx: Tx;
  /** The event's number within its video, or 0 if it has no video. */
  sequence: number;
  /** Whether a later event of this video has already been handled. If so, this event may describe an older state. */
  late: boolean;
  /** Whether the event was fetched to fill a gap rather than delivered. */
  refilled: boolean;
}

/** A range of a video's events that were not delivered. */
export interface Gap {
  video: string;
  /** Sequence of the last event handled before the gap. */
  after: number;
  /** Sequence of the last event in the gap. */
  until: number;
  /** Ids of the events that were fetched; they are handled before the event that revealed the gap. */
  refilled: readonly string[];
  /** Sequences of events that could not be fetched because they are past retention or erased. At most 1,000. */
  missing: readonly number[];
}

export interface InboxOptions<Tx> {
  store: InboxStore<Tx>;
  /** Source of missing events, such as `eventsFrom(url, apiKey)`. */
  events: EventSource;
  /** Handles one event. If it throws, the event is not marked as handled. */
  handle: (event: MaveEvent, arrival: Arrival<Tx>) => unknown;
  /** Called for each gap before its fetched events are handled. */
  onGap?: (gap: Gap) => unknown;
  /** The webhook's event types; events of other types in a gap are ignored. Default: all. */
  types?: readonly EventType[];
  /** When this receiver started, in Unix seconds. Older events in a gap are ignored. Default: 0. */
  since?: number;
}

export type Outcome = "handled" | "duplicate";

/**
 * Creates an `onEvent` function for an adapter. The function rejects if `handle`, `onGap`, the store or the event
 * source fails. Then the delivery also fails and Mave retries it, so no event is skipped.
 */
export function createInbox<Tx>(options: InboxOptions<Tx>) {
  return async (
    event: MaveEvent,
    { sequence, previous }: Pick<Delivery, "sequence" | "previous">,
  ): Promise<Outcome> => {
    const video = event.data.object === "video" ? event.data.id : null;
    const arrived = { ...event, sequence: sequence ?? 0 };
    const first = await options.store.exclusively(video, async (marks) => {
      if (await marks.seen(event.id)) return "duplicate";
      const last = await marks.position();
      if (video !== null && (previous ?? 0) > last.sequence) return { video, last, until: previous! };
      await handleOnce(options, marks, arrived, false);
      return "handled";
    });
    if (typeof first === "string") return first;
    // Fetch without the lock, then lock and mark each missed event separately. Events that another process handles in
    // the meantime are skipped, and a failure rolls back only the event that failed.
    for (const missed of await fetchMissed(options, first)) {
      await options.store.exclusively(video, (marks) => handleOnce(options, marks, missed, true));
    }
    await options.store.exclusively(video, (marks) => handleOnce(options, marks, arrived, false));
    return "handled";
  };
}

async function handleOnce<Tx>(
  { handle }: InboxOptions<Tx>,
  marks: Marks<Tx>,
  { sequence, ...event }: SequencedEvent,
  refilled: boolean,
): Promise<void> {
  if (await marks.seen(event.id)) return;
  const late = sequence > 0 && sequence < (await marks.position()).sequence;
  await handle(event as MaveEvent, { tx: marks.tx, sequence, late, refilled });
  await marks.mark(event.id, sequence);
}

async function fetchMissed<Tx>(
  { events, types, since = 0, onGap }: InboxOptions<Tx>,
  { video, last, until }: { video: string; last: { sequence: number; event: string | null }; until: number },
): Promise<SequencedEvent[]> {
  const found: SequencedEvent[] = [];
  for await (const event of events(video, last.event)) {
    if (event.sequence > until) break;
    if (event.sequence > last.sequence) found.push(event);
  }
  const numbers = new Set(found.map(({ sequence }) => sequence));
  const missing: number[] = [];
  for (let number = last.sequence + 1; number <= until && missing.length < 1_000; number++) {
    if (!numbers.has(number)) missing.push(number);
  }
  const missed = found.filter(({ type, created }) => created >= since && (types?.includes(type) ?? true));
  await onGap?.({ video, after: last.sequence, until, refilled: missed.map(({ id }) => id), missing });
  return missed;
}
