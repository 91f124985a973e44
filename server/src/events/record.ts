import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import type { Signals } from "../kernel/signals.ts";
import type { OpenSpan, Tracing } from "../kernel/trace.ts";
import { uuidFloor, uuidV7 } from "../kernel/uuid.ts";
import type { Database, Sql, Transaction } from "../store/db.ts";
import type { LeasedDelivery } from "../store/queue/claim.ts";
import type { Lease } from "../store/queue/leases.ts";
import { type FrozenEvent, type PendingDelivery, recordEvents } from "../store/queue/record.ts";
import { beginEvent, freeze, type NewEvent } from "./freeze.ts";
import { groupCommit } from "./group-commit.ts";

export interface Recorder {
  /**
   * Inserts the event and its deliveries in the same transaction as the change. After the commit, deliveries leased to
   * this node are sent. Call it after the statement that changed the video, because that statement's row lock makes
   * events commit in the order of their sequence numbers. If possible, call it last in the transaction, because it may
   * lock rows that a settle needs.
   */
  record(tx: Transaction, event: NewEvent): Promise<FrozenEvent>;
  /**
   * Records events of different videos in the same way, but as the transaction's last statement, which is sent together
   * with the commit.
   */
  recordLast(tx: Transaction, events: readonly NewEvent[]): Promise<FrozenEvent[]>;
  /** Records an event that is not part of another change. Such events are committed in groups. */
  recordAlone(event: NewEvent): Promise<FrozenEvent>;
}

/** The part of this node's dispatcher that the recorder uses. */
export interface LocalDispatcher {
  /** Returns null while this node leases nothing, because it is draining, it has no number, or its queues are full. */
  lease(): Lease | null;
  /**
   * UUIDs of webhooks whose queue is full, or that have older due rows in the database. Their new deliveries wait for a
   * claim.
   */
  closed(): string[];
  /** Sends deliveries that are leased to this node. */
  send(deliveries: readonly LeasedDelivery[]): void;
}

export interface RecorderParts {
  db: Database;
  clock: Clock;
  random: Random;
  signals: Signals;
  /** Omitted on a node that does not deliver. */
  dispatcher?: LocalDispatcher;
  tracing?: Tracing | undefined;
}

export function createRecorder(parts: RecorderParts): Recorder {
  const record = (tx: Transaction, events: readonly NewEvent[], run = tx.run) =>
    new Recorded(parts).record(tx, { run }, events);
  const grouped = groupCommit<NewEvent, FrozenEvent>({
    commit: (events) => parts.db.transaction((tx) => record(tx, events, tx.last)),
    subject: ({ video }) => video,
  });
  const { tracing } = parts;
  return {
    record: async (tx, event) => (await record(tx, [event]))[0]!,
    recordLast: (tx, events) => record(tx, events, tx.last),
    // A group commit runs in the trace of the request that started it, so each event specifies its own parent.
    recordAlone: (event) => grouped(tracing === undefined ? event : { traceparent: tracing.traceparent(), ...event }),
  };
}

/** The events and deliveries recorded by one statement, kept until the transaction commits. */
class Recorded {
  readonly #parts: RecorderParts;
  readonly #events: FrozenEvent[] = [];
  readonly #spans: OpenSpan[] = [];
  readonly #leased: LeasedDelivery[] = [];
  readonly #due = new Set<string>();

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  async record(tx: Transaction, sql: Sql, events: readonly NewEvent[]): Promise<FrozenEvent[]> {
    const { clock, dispatcher } = this.#parts;
    const now = clock.now();
    const frozen = events.map((event) => this.#freeze(event, now));
    const lease = dispatcher?.lease() ?? null;
    const past = pastOf(events, now);
    tx.afterCommit(() => this.#announce());
    const deliveries = await recordEvents(sql, frozen, lease, dispatcher?.closed() ?? [], past);
    this.#keep(frozen, deliveries, lease);
    return frozen;
  }

  #freeze(event: NewEvent, now: number): FrozenEvent {
    const { random, tracing } = this.#parts;
    const frozen = freeze(uuidV7(now, random), event, now);
    if (tracing === undefined) return frozen;
    const span = beginEvent(tracing, frozen, now);
    this.#spans.push(span);
    return { ...frozen, traceparent: span.traceparent };
  }

  #keep(events: FrozenEvent[], deliveries: PendingDelivery[], lease: Lease | null): void {
    this.#events.push(...events);
    const byId = new Map(events.map((event) => [event.uuid, event]));
    for (const delivery of deliveries) {
      const { payload, traceparent, once: manual = false } = byId.get(delivery.event_id)!;
      const event = { payload, traceparent, manual };
      if (delivery.attempt > 0) this.#leased.push({ ...delivery, ...event, leased_ms: lease!.leased_ms });
      else if (!delivery.blocked) this.#due.add(delivery.webhook_id);
    }
  }

  /** Sends the leased deliveries and emits the signals. */
  #announce(): void {
    const { clock, dispatcher, signals } = this.#parts;
    for (const span of this.#spans) span.end(clock.now());
    if (this.#leased.length > 0) dispatcher!.send(this.#leased);
    for (const webhook of this.#due) signals.emit("due", { webhook });
    for (const { space, id: event, type, video } of this.#events) signals.emit("event", { space, event, type, video });
  }
}

/**
 * How far apart the clocks may be. A video's creation time comes from the database's clock, but the time in an event's
 * id comes from a node's clock. A day is far more than clocks ever differ, and costs at most one more partition.
 */
const CLOCKS_APART_MS = 86_400_000;

/**
 * Returns the range of ids to search for earlier events of these videos, or null if each event is its video's first.
 */
function pastOf(events: readonly NewEvent[], now: number): { from: string; to: string } | null {
  const later = events.filter(({ sequence }) => sequence > 1);
  if (later.length === 0) return null;
  const since = Math.min(...later.map(({ since_s = 0 }) => since_s)) * 1000;
  return { from: uuidFloor(since - CLOCKS_APART_MS), to: uuidFloor(now + CLOCKS_APART_MS) };
}
