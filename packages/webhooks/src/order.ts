/**
 * Each event once, in the order of its video, and a word where one is missing: for receivers to whom that matters.
 * `createInbox` is the whole of it; where it remembers is a store's matter, where it refills from an event source's.
 */
import type { Delivery } from "./delivery.ts";
import type { EventSource, SequencedEvent } from "./event-source.ts";
import type { EventType, MaveEvent } from "./events.ts";
import type { InboxStore, Marks } from "./inbox-store.ts";

export { type EventSource, eventsFrom, type SequencedEvent } from "./event-source.ts";
export { type InboxStore, type Marks, memoryStore, type Position } from "./inbox-store.ts";

/** What is known of an event besides itself while it is handled. */
export interface Arrival<Tx> {
  /** The store's transaction: write with it, and the event's effects and its mark are kept or dropped together. */
  tx: Tx;
  /** The event's number within its video; 0 where it has none. */
  sequence: number;
  /** A later event of this video was handled before: this one may describe an older state. */
  late: boolean;
  /** It did not arrive: it was fetched to fill a gap. */
  refilled: boolean;
}

/** Events `after` … `until` of a video did not arrive. */
export interface Gap {
  video: string;
  /** The number of the last event handled before the gap. */
  after: number;
  /** The number of the last event that is missing. */
  until: number;
  /** Ids of those that could be fetched; they are handled before the event that showed the gap. */
  refilled: readonly string[];
  /** Numbers of those that could not: no longer kept, or erased. */
  missing: readonly number[];
}

export interface InboxOptions<Tx> {
  store: InboxStore<Tx>;
  /** Where missing events come from: `eventsFrom(url, apiKey)`. */
  events: EventSource;
  handle: (event: MaveEvent, arrival: Arrival<Tx>) => unknown;
  onGap?: (gap: Gap) => unknown;
  /** The types this webhook has chosen; others that lie in a gap are not refilled. Default: all. */
  types?: readonly EventType[];
  /** When this receiver began, in Unix seconds: what is older is not refilled. */
  since?: number;
}

export type Outcome = "handled" | "duplicate";

/**
 * @returns what an adapter takes as `onEvent`. It throws where `handle`, the store or the event source do: the delivery
 * then fails, Mave sends it again, and nothing is skipped.
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
    // The network is asked without the lock, and each event gets its own turn and its own mark: what others handle
    // meanwhile is skipped, and a failure takes back nothing but itself.
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
