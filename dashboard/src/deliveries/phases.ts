/** The timings of an attempt, split into phases. */
import type { Timings } from "../api/types.ts";
import { duration } from "../format.ts";

export interface Phase {
  label: string;
  ms: number;
  /** When the phase began, in milliseconds since the start of the attempt. */
  from: number;
  color: string;
}

const COLORS = ["bg-phase-dns", "bg-phase-connect", "bg-phase-tls", "bg-accent", "bg-phase-body"] as const;

/**
 * Splits an attempt into its phases. If the attempt ended early, the remaining time counts toward the phase in which
 * the attempt ended.
 */
export function phasesOf(timings: Timings): Phase[] {
  const { dns, connect, tls, first_byte, total } = timings;
  const known = [dns, connect, tls, first_byte];
  const spent = known.reduce<number>((sum, ms) => sum + (ms ?? 0), 0);
  const rest = Math.max(0, (total ?? spent) - spent);
  const times = [...known, 0].map((ms) => ms ?? 0);
  const last = first_byte === null ? unfinished(timings) : 4;
  times[last] = (times[last] ?? 0) + rest;
  let from = 0;
  return ["DNS", "Connect", "TLS", "First byte", "Body"].map((label, at) => {
    const ms = times[at] ?? 0;
    const phase = { label, ms, from, color: COLORS[at] ?? COLORS[4] };
    from += ms;
    return phase;
  });
}

/**
 * Returns the index of the phase in which an attempt ended, if it ended before the first response byte. On a reused
 * connection, this is always First byte.
 */
function unfinished({ dns, connect, tls, reused }: Timings): number {
  if (reused) return 3;
  return Math.min(3, [dns, connect, tls].findLastIndex((ms) => ms !== null) + 1);
}

/** Summarizes the phases: "Network 53 ms, receiver 4.74 s, body 12 ms" or "Connection reused, receiver 80 ms" */
export function summary(timings: Timings): string {
  const phases = phasesOf(timings);
  const ms = (at: number) => phases[at]?.ms ?? 0;
  const network = ms(0) + ms(1) + ms(2);
  const first = timings.reused ? "Connection reused" : `Network ${duration(network)}`;
  const receiver = ms(3) > 0 ? `, receiver ${duration(ms(3))}` : "";
  const body = ms(4) >= 1 ? `, body ${duration(ms(4))}` : "";
  return `${first}${receiver}${body}`;
}
