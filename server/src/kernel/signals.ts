/**
 * In-process notices of what changed, for those who wait (the dispatcher, live pages, tests).
 * A notice is a hint, never the truth: whoever hears it reads the database, and a slow poll makes up for one that is lost.
 */
export interface Changes {
  /** An open delivery of this webhook may have become due. */
  due: { webhook: string };
  /** A delivery was created, attempted or finished. */
  delivery: { space: string; webhook: string; delivery: string; event: string; video: string | null };
  /** A webhook was created, changed or deleted. */
  webhook: { space: string; webhook: string };
  /** A video was created, changed, progressed or deleted. */
  video: { space: string; video: string };
  /** An event was committed. */
  event: { space: string; event: string; type: string; video: string | null };
  /** An upload has been received whole and waits for processing. */
  upload: { space: string; video: string; version: number };
}

export type Topic = keyof Changes;
type Listener<T extends Topic> = (change: Changes[T]) => void;

export interface Signals {
  emit<T extends Topic>(topic: T, change: Changes[T]): void;
  /** Whether anybody listens: where making a change up costs something. */
  heard(topic: Topic): boolean;
  /** Returns a function that stops listening. */
  on<T extends Topic>(topic: T, listener: Listener<T>): () => void;
}

export function createSignals(): Signals {
  const listeners = new Map<Topic, Set<Listener<never>>>();
  return {
    emit(topic, change) {
      for (const listener of listeners.get(topic) ?? []) (listener as Listener<typeof topic>)(change);
    },
    heard: (topic) => (listeners.get(topic)?.size ?? 0) > 0,
    on(topic, listener) {
      const set = listeners.get(topic) ?? new Set();
      listeners.set(topic, set.add(listener as Listener<never>));
      return () => set.delete(listener as Listener<never>);
    },
  };
}
