/** Which held deliveries are skipped on resume: those of events before a moment, or between two. Pure. */
import type { Cancellation } from "../api/types.ts";
import { unixTime } from "../replays/replay-form.tsx";
import { deliveries } from "./webhook-problems.ts";

export interface SkipDraft {
  /** As the browser's field has them: local, to the minute. No `from`: all before. */
  from: string | undefined;
  before: string;
}

export interface SkipRange {
  since: number | undefined;
  until: number;
}

/** The range as the API takes it; undefined where a field is empty or the end is not after the beginning. */
export function skipRange({ from, before }: SkipDraft): SkipRange | undefined {
  const [since, until] = [from === undefined ? undefined : unixTime(from), unixTime(before)];
  if (!Number.isInteger(until) || (since !== undefined && !Number.isInteger(since))) return undefined;
  return since !== undefined && since >= until ? undefined : { since, until };
}

/** What is wrong with each field, in words. */
export function skipFaults(draft: SkipDraft): { from?: string; before?: string } {
  const missing = (field: string | undefined) => field !== undefined && !Number.isInteger(unixTime(field));
  const faults = {
    ...(missing(draft.from) && { from: CHOOSE }),
    ...(missing(draft.before) && { before: CHOOSE }),
  };
  if (Object.keys(faults).length > 0 || skipRange(draft) !== undefined) return faults;
  return { before: "This has to be after the beginning." };
}

const CHOOSE = "Choose a day and a time.";

/** "2 deliveries will be skipped, 1 delivery sent." */
export function skipWords(counted: Pick<Cancellation, "total" | "has_more"> | undefined, held: number): string {
  if (counted === undefined) return "Counting…";
  const { total, has_more } = counted;
  if (total === 0) return "None of them happened then: all will be sent.";
  if (has_more) return `More than ${deliveries(total)} will be skipped.`;
  return `${deliveries(total)} will be skipped, ${deliveries(Math.max(0, held - total))} sent.`;
}
