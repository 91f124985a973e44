import type { Cancellation } from "../api/types.ts";
import { fieldTime, unixTime } from "../replays/replay-form.tsx";
import { Button } from "../ui/button.tsx";
import { Checkbox, TextField } from "../ui/field.tsx";
import { type SkipDraft, skipErrors, skipPreview } from "./skip-range.ts";

interface SkipFieldsProps {
  /** Undefined if nothing is skipped. */
  draft: SkipDraft | undefined;
  initial: SkipDraft;
  /** The time of the oldest held event, in Unix seconds. */
  oldest: number;
  preview: Cancellation | undefined;
  held: number;
  onChange: (draft: SkipDraft | undefined) => void;
}

const HOUR = 3_600;

/** Most users need only an end time, so the start time is hidden until the user adds it. */
export function SkipFields({ draft, initial, oldest, preview, held, onChange }: SkipFieldsProps) {
  return (
    <div className="flex flex-col gap-3">
      <Checkbox
        label="Skip old events"
        hint="Their deliveries are canceled and marked as skipped."
        checked={draft !== undefined}
        onChange={({ target }) => onChange(target.checked ? initial : undefined)}
      />
      {draft !== undefined && (
        <>
          <Range draft={draft} onChange={onChange} />
          {draft.from === undefined && (
            <Button
              size="sm"
              look="line"
              className="self-start"
              onClick={() => onChange({ ...draft, from: startTime(draft, oldest) })}
            >
              Add start time
            </Button>
          )}
          <p role="status" className="text-text-2 numbers">
            {Object.keys(skipErrors(draft)).length === 0 && skipPreview(preview, held)}
          </p>
        </>
      )}
    </div>
  );
}

/** Returns the time of the oldest held event, or an hour before the end if that is earlier. */
function startTime({ before }: SkipDraft, oldest: number): string {
  const end = unixTime(before);
  return fieldTime(Number.isInteger(end) ? Math.min(oldest, end - HOUR) : oldest);
}

function Range({ draft, onChange }: { draft: SkipDraft; onChange: (draft: SkipDraft) => void }) {
  const errors = skipErrors(draft);
  return (
    <div className="flex flex-col gap-3">
      {draft.from !== undefined && (
        <TextField
          label="Skip events from"
          type="datetime-local"
          value={draft.from}
          error={errors.from}
          onChange={({ target }) => onChange({ ...draft, from: target.value })}
        />
      )}
      <TextField
        label={draft.from === undefined ? "Skip events before" : "To"}
        type="datetime-local"
        value={draft.before}
        error={errors.before}
        onChange={({ target }) => onChange({ ...draft, before: target.value })}
      />
    </div>
  );
}
