/** How fast bytes move and how long the rest takes, from what was seen in the last seconds. */
export interface Sample {
  at: number;
  sent: number;
}

/** Long enough to smooth a wireless network's bursts, short enough to notice a change. */
const WINDOW_MS = 12_000;
/** Below this span a rate is noise: the first bytes only fill the sockets' buffers. */
const TELLING_MS = 1_000;
const APART_MS = 200;

/** @returns the samples with this one; those that tell nothing any more are dropped, so that the list stays short */
export function measured(samples: readonly Sample[], sample: Sample): readonly Sample[] {
  const last = samples.at(-1);
  if (last && sample.sent < last.sent) return [sample]; // the server had less than was thought
  const recent = samples.filter(({ at }) => sample.at - at <= WINDOW_MS);
  const second = recent.at(-2);
  // The newest sample is always kept; close to the one before it, it takes the place of the last.
  if (second && sample.at - second.at < APART_MS) return [...recent.slice(0, -1), sample];
  return [...recent, sample];
}

/** @returns bytes per second; null where too little was seen */
export function rate(samples: readonly Sample[]): number | null {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || last.at - first.at < TELLING_MS) return null;
  return ((last.sent - first.sent) / (last.at - first.at)) * 1000;
}

/** @returns seconds until everything unfinished is sent; null while nothing moves */
export function secondsLeft(
  uploads: readonly { size: number; sent: number; samples: readonly Sample[]; phase: { name: string } }[],
): number | null {
  const counted = uploads.filter(({ phase }) => ["queued", "sending", "retrying"].includes(phase.name));
  const speed = counted.reduce((sum, { samples }) => sum + (rate(samples) ?? 0), 0);
  if (speed <= 0) return null;
  return counted.reduce((sum, { size, sent }) => sum + size - sent, 0) / speed;
}
