/** Selects held deliveries to skip on resume: those whose events occurred before a time or between two times. */
import type { Cancellation } from "../api/types.ts";
import { deliveryCount } from "../deliveries/delivery-text.ts";
import { unixTime } from "../replays/replay-form.tsx";

export interface SkipDraft {
  /** Values of datetime-local fields. If `from` is undefined, all events before `before` are skipped. */
  from: string | undefined;
  before: string;
}

export interface SkipRange {
  since: number | undefined;
  until: number;
}

/** Returns the range in Unix seconds, or undefined if a field or the range is empty. */
export function skipRange({ from, before }: SkipDraft): SkipRange | undefined {
  const [since, until] = [from === undefined ? undefined : unixTime(from), unixTime(before)];
  if (!Number.isInteger(until) || (since !== undefined && !Number.isInteger(since))) return undefined;
  return since !== undefined && since >= until ? undefined : { since, until };
}

/** Returns an error message for each invalid field. */
export function skipErrors(draft: SkipDraft): { from?: string; before?: string } {
  const missing = (field: string | undefined) => field !== undefined && !Number.isInteger(unixTime(field));
  const errors = {
    ...(missing(draft.from) && { from: REQUIRED }),
    ...(missing(draft.before) && { before: REQUIRED }),
  };
  if (Object.keys(errors).length > 0 || skipRange(draft) !== undefined) return errors;
  return { before: "Enter a time after the start." };
}

const REQUIRED = "Enter a date and time.";

/** Describes what resuming will do: "2 deliveries will be skipped, and 1 delivery will be sent." */
export function skipPreview(preview: Pick<Cancellation, "total" | "has_more"> | undefined, held: number): string {
  if (preview === undefined) return "Counting deliveries…";
  const { total, has_more } = preview;
  if (total === 0) return "No held deliveries are in this range, so all will be sent.";
  if (has_more) return `More than ${deliveryCount(total)} will be skipped.`;
  return `${deliveryCount(total)} will be skipped, and ${deliveryCount(Math.max(0, held - total))} will be sent.`;
}
