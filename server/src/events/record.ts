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

/** A transaction that can also say what happened in it. */
export interface Recording extends Sql {
  /**
   * Inserts the event and its deliveries. Call it after the statement that changed the video: that row's lock makes the
   * order of the sequence the order of the commits. Best as the last statement: it may hold rows that a settle wants.
   */
  record(event: NewEvent): Promise<FrozenEvent>;
  /** The same for several events of different videos at once, as the last of the transaction: the commit goes out with it. */
  recordLast(events: readonly NewEvent[]): Promise<FrozenEvent[]>;
}

export interface Recorder {
  /** Commits what `work` did together with its events and their deliveries, or nothing of it; then hands them over. */
  transaction<Result>(work: (tx: Recording) => Promise<Result>): Promise<Result>;
  /** Records an event that needs no other change. Calls that come while a commit is running share the next one. */
  record(event: NewEvent): Promise<FrozenEvent>;
}

/** This node's dispatcher, as far as the recorder uses it. */
export interface LocalDispatcher {
  /** null while this node leases nothing: it is draining, has no number yet, or its queues are full. */
  lease(): Lease | null;
  /** Webhooks (UUIDs) whose queue is full, or that have older due rows in the database: their new deliveries wait for a claim. */
  closed(): string[];
  /** Sends deliveries that are leased to this node. */
  send(deliveries: readonly LeasedDelivery[]): void;
}

export interface RecorderParts {
  db: Database;
  clock: Clock;
  random: Random;
  signals: Signals;
  /** Missing on a node that does not deliver. */
  dispatcher?: LocalDispatcher;
  tracing?: Tracing | undefined;
}

export function createRecorder(parts: RecorderParts): Recorder {
  const transaction: Recorder["transaction"] = async (work) => {
    const recorded = new Recorded(parts);
    const result = await parts.db.transaction((tx) => work(recorded.within(tx)));
    recorded.announce();
    return result;
  };
  const shared = groupCommit<NewEvent, FrozenEvent>({
    commit: (events) => transaction((tx) => tx.recordLast(events)),
    subject: ({ video }) => video,
  });
  const { tracing } = parts;
  if (tracing === undefined) return { transaction, record: shared };
  // A shared commit runs as caused by one of those who share it: each says here what it comes from itself.
  return { transaction, record: (event) => shared({ traceparent: tracing.traceparent(), ...event }) };
}

/** What one transaction recorded, kept until its commit. */
class Recorded {
  readonly #parts: RecorderParts;
  readonly #events: FrozenEvent[] = [];
  readonly #spans: OpenSpan[] = [];
  readonly #leased: LeasedDelivery[] = [];
  readonly #due = new Set<string>();

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  within(tx: Transaction): Recording {
    return {
      run: tx.run,
      record: async (event) => (await this.#record(tx, [event]))[0]!,
      recordLast: (events) => this.#record({ run: tx.last }, events),
    };
  }

  async #record(tx: Sql, events: readonly NewEvent[]): Promise<FrozenEvent[]> {
    const { clock, dispatcher } = this.#parts;
    const now = clock.now();
    const frozen = events.map((event) => this.#freeze(event, now));
    const lease = dispatcher?.lease() ?? null;
    const past = pastOf(events, now);
    const deliveries = await recordEvents(tx, frozen, lease, dispatcher?.closed() ?? [], past);
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
      const { payload, traceparent } = byId.get(delivery.event_id)!;
      if (delivery.attempt > 0) this.#leased.push({ ...delivery, payload, traceparent, leased_ms: lease!.leased_ms });
      else if (!delivery.blocked) this.#due.add(delivery.webhook_id);
    }
  }

  /** After the commit: hands the deliveries over and tells who listens. */
  announce(): void {
    const { clock, dispatcher, signals } = this.#parts;
    for (const span of this.#spans) span.end(clock.now());
    if (this.#leased.length > 0) dispatcher!.send(this.#leased);
    for (const webhook of this.#due) signals.emit("due", { webhook });
    for (const { space, id: event, type, video } of this.#events) signals.emit("event", { space, event, type, video });
  }
}

const CLOCKS_APART_MS = 86_400_000; // a video's time comes from the database, the time in an event's id from its node

/** The range of ids to search for earlier events of these videos; null if each event is its video's first. */
function pastOf(events: readonly NewEvent[], now: number): { from: string; to: string } | null {
  const later = events.filter(({ sequence }) => sequence > 1);
  if (later.length === 0) return null;
  const since = Math.min(...later.map(({ since_s = 0 }) => since_s)) * 1000;
  return { from: uuidFloor(since - CLOCKS_APART_MS), to: uuidFloor(now + CLOCKS_APART_MS) };
}
