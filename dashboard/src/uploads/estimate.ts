/** Estimates the upload speed and the time left from samples taken over the last few seconds. */
export interface Sample {
  at: number;
  sent: number;
}

/** Long enough to smooth out bursts on a wireless network, and short enough to notice a change in speed. */
const WINDOW_MS = 12_000;
/** Over a shorter span, the rate would be meaningless, because the first bytes only fill socket buffers. */
const SPAN_MIN_MS = 1_000;
const INTERVAL_MIN_MS = 200;

/** @returns the samples with the new one added and outdated ones dropped */
export function addSample(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  const last = samples.at(-1);
  if (last && sample.sent < last.sent) return [sample]; // the server has less data than previously reported
  const recent = samples.filter(({ at }) => sample.at - at <= WINDOW_MS);
  const previous = recent.at(-2);
  // Always keep the newest sample. If samples arrive too quickly, it replaces the one before it.
  if (previous && sample.at - previous.at < INTERVAL_MIN_MS) return [...recent.slice(0, -1), sample];
  return [...recent, sample];
}

/** @returns bytes per second, or null if there are too few samples */
export function rate(samples: readonly Sample[]): number | null {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || last.at - first.at < SPAN_MIN_MS) return null;
  return ((last.sent - first.sent) / (last.at - first.at)) * 1000;
}

/** @returns seconds until all unfinished uploads are sent, or null if nothing is being sent */
export function secondsLeft(
  uploads: readonly { size: number; sent: number; samples: readonly Sample[]; phase: { name: string } }[],
): number | null {
  const unfinished = uploads.filter(({ phase }) => ["queued", "sending", "retrying"].includes(phase.name));
  const speed = unfinished.reduce((sum, { samples }) => sum + (rate(samples) ?? 0), 0);
  if (speed <= 0) return null;
  return unfinished.reduce((sum, { size, sent }) => sum + size - sent, 0) / speed;
}
