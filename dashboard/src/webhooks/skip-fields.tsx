import type { Cancellation } from "../api/types.ts";
import { fieldTime, unixTime } from "../replays/replay-form.tsx";
import { Button } from "../ui/button.tsx";
import { Checkbox, TextField } from "../ui/field.tsx";
import { type SkipDraft, skipFaults, skipWords } from "./skip-range.ts";

interface SkipFieldsProps {
  /** None: nothing is skipped. */
  draft: SkipDraft | undefined;
  /** What it would be at first. */
  first: SkipDraft;
  /** When the oldest that is held happened, Unix seconds. */
  oldest: number;
  counted: Cancellation | undefined;
  held: number;
  onChange: (draft: SkipDraft | undefined) => void;
}

const HOUR = 3_600;

/** One moment is enough for most: the beginning of a range is there for who asks. */
export function SkipFields({ draft, first, oldest, counted, held, onChange }: SkipFieldsProps) {
  return (
    <div className="flex flex-col gap-3">
      <Checkbox
        label="Skip those of old events"
        hint="They are canceled, never sent, and say so in the log."
        checked={draft !== undefined}
        onChange={({ target }) => onChange(target.checked ? first : undefined)}
      />
      {draft !== undefined && (
        <>
          <Range draft={draft} onChange={onChange} />
          {draft.from === undefined && (
            <Button
              size="sm"
              look="line"
              className="self-start"
              onClick={() => onChange({ ...draft, from: beginning(draft, oldest) })}
            >
              Not all before: choose a beginning
            </Button>
          )}
          <p role="status" className="text-text-2 numbers">
            {Object.keys(skipFaults(draft)).length === 0 && skipWords(counted, held)}
          </p>
        </>
      )}
    </div>
  );
}

/** The oldest that is held, or an hour before the end where that lies later. */
function beginning({ before }: SkipDraft, oldest: number): string {
  const end = unixTime(before);
  return fieldTime(Number.isInteger(end) ? Math.min(oldest, end - HOUR) : oldest);
}

function Range({ draft, onChange }: { draft: SkipDraft; onChange: (draft: SkipDraft) => void }) {
  const faults = skipFaults(draft);
  return (
    <div className="flex flex-col gap-3">
      {draft.from !== undefined && (
        <TextField
          label="Skip events from"
          type="datetime-local"
          value={draft.from}
          error={faults.from}
          onChange={({ target }) => onChange({ ...draft, from: target.value })}
        />
      )}
      <TextField
        label={draft.from === undefined ? "Skip events from before" : "Until before"}
        type="datetime-local"
        value={draft.before}
        error={faults.before}
        onChange={({ target }) => onChange({ ...draft, before: target.value })}
      />
    </div>
  );
}
