/**
 * In-process signals about committed changes, for the dispatcher, live pages and tests. A signal is only a hint:
 * listeners read the database, and a slower poll makes up for lost signals. Emit a transaction's signals in
 * `tx.afterCommit`.
 */
export interface Changes {
  /** A pending delivery of this webhook may have become due. */
  due: { webhook: string };
  /** A delivery was created, attempted or finished. */
  delivery: { space: string; webhook: string; delivery: string; event: string; video: string | null };
  /** A webhook was created, changed or deleted. */
  webhook: { space: string; webhook: string };
  /** A video was created, changed or deleted, or its processing progressed. */
  video: { space: string; video: string };
  /** An event was committed. */
  event: { space: string; event: string; type: string; video: string | null };
  /** An upload was received completely and is waiting to be processed. */
  upload: { space: string; video: string; version: number };
}

export type Topic = keyof Changes;
type Listener<T extends Topic> = (change: Changes[T]) => void;

export interface Signals {
  emit<T extends Topic>(topic: T, change: Changes[T]): void;
  /** Whether the topic has listeners; check it before assembling an expensive signal. */
  hasListeners(topic: Topic): boolean;
  /** @returns a function that removes the listener */
  on<T extends Topic>(topic: T, listener: Listener<T>): () => void;
}

export function createSignals(): Signals {
  const listeners = new Map<Topic, Set<Listener<never>>>();
  return {
    emit(topic, change) {
      for (const listener of listeners.get(topic) ?? []) (listener as Listener<typeof topic>)(change);
    },
    hasListeners: (topic) => (listeners.get(topic)?.size ?? 0) > 0,
    on(topic, listener) {
      const set = listeners.get(topic) ?? new Set();
      listeners.set(topic, set.add(listener as Listener<never>));
      return () => set.delete(listener as Listener<never>);
    },
  };
}
