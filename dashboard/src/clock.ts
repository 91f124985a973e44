/** The page's clock. One timer updates all relative times every second, and stops while the page is hidden. */
import { useSyncExternalStore } from "react";

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function tick() {
  if (!document.hidden) for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(tick, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

export const nowMs = (): number => Date.now();
export const nowSeconds = (): number => Math.floor(nowMs() / 1_000);

/** Computes a value from the current time in Unix seconds. The component rerenders only when the value changes. */
export function useAging<T extends string | number>(compute: (now: number) => T): T {
  return useSyncExternalStore(subscribe, () => compute(nowSeconds()));
}
