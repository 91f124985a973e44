/** How far a video's events have been handled. */
export interface Position {
  /** The highest number handled; 0 for none. */
  sequence: number;
  /** That event's id. */
  event: string | null;
}

/** The inbox state of one video, or of all events without a video, available while the store holds its lock. */
export interface Marks<Tx = undefined> {
  /** The store's transaction, passed on to `handle`. */
  tx: Tx;
  /** Whether the event with this id has been handled. */
  seen(event: string): Promise<boolean>;
  position(): Promise<Position>;
  /** Records the event as handled, and its number as the position if it is the highest so far. */
  mark(event: string, sequence: number): Promise<void>;
}

/** Stores which events an inbox has handled. */
export interface InboxStore<Tx = undefined> {
  /**
   * Runs `work` with an exclusive lock on this video, across all processes that share the store. Its marks are saved if
   * it resolves and dropped if it throws.
   */
  exclusively<Result>(video: string | null, work: (marks: Marks<Tx>) => Promise<Result>): Promise<Result>;
}

/**
 * A store in memory, for tests and for a single process that may lose its state on restart.
 * @param capacity maximum number of events, and of videos, to keep; the oldest are dropped first
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
        .catch(() => undefined) // `turn` reports the error to its own caller; the next turn runs regardless
        .then(() => queues.get(video) === settled && queues.delete(video));
      queues.set(video, settled);
      return turn;
    },
  };
}
