import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import type { Signals } from "../kernel/signals.ts";
import type { OpenSpan, TraceParent, Tracing } from "../kernel/trace.ts";
import { uuidFloor, uuidV7 } from "../kernel/uuid.ts";
import type { Database, Sql, Transaction } from "../store/db.ts";
import * as store from "../store/events.ts";
import { type Envelope, freeze, type Happening } from "./envelope.ts";
import { beginEvent } from "./event-trace.ts";
import { follow } from "./follow.ts";
import { shareCommits } from "./share-commits.ts";

/** A transaction that can also say what happened in it. */
export interface Recording extends Sql {
  /**
   * Inserts the event and its deliveries. Call it after the statement that changed the video: that row's lock makes the
   * order of the sequence the order of the commits. Best as the last statement: it may hold rows that a settle wants.
   */
  record(happening: Happening): Promise<Envelope>;
  /** The same for several events of different videos at once, as the last of the transaction: the commit goes out with it. */
  recordLast(happenings: readonly Happening[]): Promise<Envelope[]>;
}

export interface Recorder {
  /** Commits what `work` did together with its events and their deliveries, or nothing of it; then hands them over. */
  transaction<Result>(work: (tx: Recording) => Promise<Result>): Promise<Result>;
  /** Records an event that needs no other change. Calls that come while a commit is running share the next one. */
  record(happening: Happening): Promise<Envelope>;
}

/** A delivery that was recorded already leased to this node: it needs no claim. */
export interface HandedDelivery extends store.RecordedDelivery {
  body: Buffer;
  /** When the lease began, on this process's monotonic clock. */
  leased_ms: number;
  /** Its event's span. */
  traceparent?: TraceParent | undefined;
}

/** This node's dispatcher, as the recorder sees it. */
export interface Courier {
  /** What this node's leases carry, and how long they last. null while it takes none (it drains, or has no number yet). */
  lease(): store.Lease | null;
  /** Webhooks (UUIDs) that have no room in memory, or older ones in the database: their deliveries are left there for a claim. */
  closed(): string[];
  take(deliveries: HandedDelivery[]): void;
}

export interface RecorderParts {
  db: Database;
  clock: Clock;
  random: Random;
  signals: Signals;
  /** None on a node that does not deliver. */
  courier?: Courier;
  tracing?: Tracing | undefined;
}

export function createRecorder(parts: RecorderParts): Recorder {
  const transaction: Recorder["transaction"] = async (work) => {
    const recorded = new Recorded(parts);
    const result = await parts.db.transaction((tx) => work(recorded.within(tx)));
    recorded.announce();
    await recorded.followUp();
    return result;
  };
  const shared = shareCommits<Happening, Envelope>({
    commit: (happenings) => transaction((tx) => tx.recordLast(happenings)),
    subject: ({ video }) => video,
  });
  const { tracing } = parts;
  if (tracing === undefined) return { transaction, record: shared };
  // A shared commit runs as caused by one of those who share it: each says here what it comes from itself.
  return { transaction, record: (happening) => shared({ traceparent: tracing.traceparent(), ...happening }) };
}

/** What one transaction recorded, kept until its commit. */
class Recorded {
  readonly #parts: RecorderParts;
  readonly #events: store.NewEvent[] = [];
  readonly #spans: OpenSpan[] = [];
  readonly #handed: HandedDelivery[] = [];
  readonly #due = new Set<string>();
  /** They wait for one that was being changed just then, and does not know of it. */
  readonly #unmarked: store.RecordedDelivery[] = [];

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  within(tx: Transaction): Recording {
    return {
      run: tx.run,
      record: async (happening) => (await this.#record(tx, [happening]))[0]!,
      recordLast: (happenings) => this.#record({ run: tx.last }, happenings),
    };
  }

  async #record(tx: Sql, happenings: readonly Happening[]): Promise<Envelope[]> {
    const { clock, courier } = this.#parts;
    const now = clock.now();
    const events = happenings.map((happening) => this.#freeze(happening, now));
    const lease = courier?.lease() ?? null;
    const leased_ms = clock.monotonic();
    const past = pastOf(happenings, now);
    const deliveries = await store.recordEvents(tx, events, lease, courier?.closed() ?? [], past);
    this.#keep(events, deliveries, leased_ms);
    return events.map(({ envelope }) => envelope);
  }

  #freeze(happening: Happening, now: number): store.NewEvent {
    const { random, tracing } = this.#parts;
    const envelope = freeze(uuidV7(now, random), happening, now);
    if (tracing === undefined) return { happening, envelope };
    const span = beginEvent(tracing, happening, envelope, now);
    this.#spans.push(span);
    return { happening, envelope, traceparent: span.traceparent };
  }

  #keep(events: store.NewEvent[], deliveries: store.RecordedDelivery[], leased_ms: number): void {
    this.#events.push(...events);
    const handed = new Map(
      events.map(({ envelope, traceparent }) => [
        envelope.uuid,
        { body: Buffer.from(envelope.payload), traceparent, leased_ms },
      ]),
    );
    for (const delivery of deliveries) {
      if (delivery.attempt > 0) this.#handed.push({ ...delivery, ...handed.get(delivery.event_id)! });
      else if (!delivery.blocked) this.#due.add(delivery.webhook_id);
      else if (!delivery.marked) this.#unmarked.push(delivery);
    }
  }

  /** After the commit: hands the deliveries over and tells who listens. */
  announce(): void {
    const { clock, courier, signals } = this.#parts;
    for (const span of this.#spans) span.end(clock.now());
    if (this.#handed.length > 0) courier!.take(this.#handed);
    for (const webhook of this.#due) signals.emit("due", { webhook });
    for (const { happening, envelope } of this.#events) {
      const { space, type, video } = happening;
      signals.emit("event", { space, event: envelope.id, type, video });
    }
  }

  /** After the commit, too, whose success it cannot change. */
  async followUp(): Promise<void> {
    if (this.#unmarked.length === 0) return;
    const { db, signals } = this.#parts;
    await db.transaction((tx) => follow(tx, this.#unmarked)).catch(() => {}); // the sweep frees them
    for (const { blocked, webhook_id: webhook } of this.#unmarked) if (!blocked) signals.emit("due", { webhook });
  }
}

const CLOCKS_APART_MS = 86_400_000; // a video has the database's time, an event's id its node's

/** Between which ids earlier events of these videos are looked for; null where each is its video's first event. */
function pastOf(happenings: readonly Happening[], now: number): { from: string; to: string } | null {
  const later = happenings.filter(({ sequence }) => sequence > 1);
  if (later.length === 0) return null;
  const since = Math.min(...later.map(({ since_s = 0 }) => since_s)) * 1000;
  return { from: uuidFloor(since - CLOCKS_APART_MS), to: uuidFloor(now + CLOCKS_APART_MS) };
}
