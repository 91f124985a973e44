/** How far a video's events have been handled. */
export interface Position {
  /** The highest number handled; 0 for none. */
  sequence: number;
  /** That event's id. */
  event: string | null;
}

/** What an inbox remembers of one video (or of the events without one), seen from inside its lock. */
export interface Marks<Tx = undefined> {
  tx: Tx;
  seen(event: string): Promise<boolean>;
  position(): Promise<Position>;
  /** Remembers `event` as handled, and its number where it is the highest yet. */
  mark(event: string, sequence: number): Promise<void>;
}

/** Where an inbox remembers. */
export interface InboxStore<Tx = undefined> {
  /**
   * Runs `work` while nobody else works on this video, in this process or another that shares the store. What it marks
   * is kept where it resolves and forgotten where it throws.
   */
  exclusively<Result>(video: string | null, work: (marks: Marks<Tx>) => Promise<Result>): Promise<Result>;
}

/**
 * Remembers in this process only: for one process that may forget when it restarts, and for tests.
 * @param most how many events, and how many videos, are remembered; the oldest are forgotten beyond it
 */
export function memoryStore(most = 100_000): InboxStore {
  const seen = new Map<string, true>();
  const positions = new Map<string | null, Position>();
  const queues = new Map<string | null, Promise<unknown>>();
  const remember = <Key, Value>(map: Map<Key, Value>, key: Key, value: Value) => {
    map.delete(key);
    map.set(key, value);
    if (map.size > most) map.delete(map.keys().next().value as Key);
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
        .catch(() => undefined) // its caller is told; the next in the queue does not care
        .then(() => queues.get(video) === settled && queues.delete(video));
      queues.set(video, settled);
      return turn;
    },
  };
}
