/** A video's latest handled event, by sequence. */
export interface Position {
  /** The highest sequence handled so far, or 0 if there is none. */
  sequence: number;
  /** The id of the event with that sequence. */
  event: string | null;
}

/** The inbox state for one video, or for all events without a video. Valid only while the store holds the lock. */
export interface Marks<Tx = undefined> {
  /** The store's transaction, passed on to `handle`. */
  tx: Tx;
  /** Whether the event with this id has been handled. */
  seen(event: string): Promise<boolean>;
  position(): Promise<Position>;
  /** Marks the event as handled, and advances the position to its sequence if that is the highest so far. */
  mark(event: string, sequence: number): Promise<void>;
}

/** Stores which events an inbox has handled. */
export interface InboxStore<Tx = undefined> {
  /**
   * Runs `work` with an exclusive lock on the video across all processes that share the store. If `work` succeeds, its
   * marks are saved. If it throws, they are discarded.
   */
  exclusively<Result>(video: string | null, work: (marks: Marks<Tx>) => Promise<Result>): Promise<Result>;
}

/**
 * Creates an in-memory store, for tests and for a single process that can afford to lose its state on restart.
 * @param capacity maximum number of events to keep, and also of videos; the oldest are evicted first
 */
export function memoryStore(capacity = 100_000): InboxStore {
  const seen = new Map<string, true>();
  const positions = new Map<string | null, Position>();
  const queues = new Map<string | null, Promise<unknown>>();
  const remember = <Key, Value>(map: Map<Key, Value>, key: Key, value: Value) => {
    map.delete(key);
    map.set(key, value);
    if (map.size > capacity) map.delete(map.keys().next().value as Key);
  };

  async function run<Result>(video: string | null, work: (marks: Marks) => Promise<Result>): Promise<Result> {
    const marked = new Set<string>();
    let position = positions.get(video) ?? { sequence: 0, event: null };
    const result = await work({
      tx: undefined,
      seen: async (event) => seen.has(event) || marked.has(event),
      position: async () => position,
      mark: async (event, sequence) => {
        marked.add(event);
        if (sequence > position.sequence) position = { sequence, event };
      },
    });
    for (const event of marked) remember(seen, event, true);
    if (position.sequence > 0) remember(positions, video, position);
    return result;
  }

  return {
    exclusively(video, work) {
      const turn = (queues.get(video) ?? Promise.resolve()).then(() => run(video, work));
      const settled: Promise<unknown> = turn
        .catch(() => undefined) // this turn's caller gets the error; the next turn runs regardless
        .then(() => queues.get(video) === settled && queues.delete(video));
      queues.set(video, settled);
      return turn;
    },
  };
}
