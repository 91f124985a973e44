/**
 * The only file that reads the clock. Everything else is handed a `Clock`, so that a test can move time by hand.
 * Durable decisions (what is due, whose lease has ended) use the database's clock instead: nodes' clocks may differ.
 */
export interface Clock {
  /** Wall time, ms since the Unix epoch. May jump. */
  now(): number;
  /** ms since an arbitrary start. Never goes back; for durations and deadlines inside this process. */
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

/** Unix time in whole seconds, the form of every time in events and in the API. */
export const unixSeconds = (milliseconds: number): number => Math.floor(milliseconds / 1000);

/** Waits, and keeps the process alive meanwhile: for what runs before there is anything to wait for by an event. */
export const pause = (delay_ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, delay_ms);
  });
