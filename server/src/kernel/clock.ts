/**
 * The only file that reads the clock. All other code takes a `Clock` as an argument, so that a test can control time.
 * Durable decisions (due times, expired leases) use the database's clock instead, because nodes' clocks differ.
 */
export interface Clock {
  /** Wall-clock time in ms since the Unix epoch. It may jump. */
  now(): number;
  /** Time in ms since an arbitrary point. It never goes back, so use it for durations and deadlines in this process. */
  monotonic(): number;
  /** Calls `work` once after `delay_ms`; returns a function that cancels it. Never keeps the process alive. */
  after(delay_ms: number, work: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delay_ms, work) {
    const timer = setTimeout(work, delay_ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Unix time in whole seconds, as in every event and API response. */
export const unixSeconds = (milliseconds: number): number => Math.floor(milliseconds / 1000);

/**
 * Waits. Unlike `Clock.after`, it keeps the process alive, so it is meant for code that runs before the server listens.
 */
export const pause = (delay_ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, delay_ms);
  });
