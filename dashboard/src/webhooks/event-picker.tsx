import { useQuery } from "@tanstack/react-query";
import { eventTypesQuery } from "../api/queries.ts";
import type { EventType } from "../api/types.ts";
import { Checkbox } from "../ui/field.tsx";

interface PickerProps {
  selected: string[];
  error: string | undefined;
  onChange: (events: string[]) => void;
}

/** Lists the core event types, then all other types, which are collapsed unless one of them is selected. */
export function EventPicker({ selected, error, onChange }: PickerProps) {
  const { data: types } = useQuery(eventTypesQuery);
  const all = types?.data ?? [];
  const others = all.filter((type) => !type.core);
  const othersSelected = others.filter(({ type }) => selected.includes(type)).length;
  const toggle = (type: string) =>
    onChange(selected.includes(type) ? selected.filter((one) => one !== type) : [...selected, type]);
  const box = (type: EventType) => (
    <Box key={type.type} type={type} on={selected.includes(type.type)} onToggle={toggle} />
  );
  return (
    <fieldset>
      <legend className="mb-1 font-medium">Events</legend>
      {all.filter((type) => type.core).map(box)}
      <details open={othersSelected > 0 || undefined} className="mt-1">
        <summary className="w-fit rounded-tag py-1 text-text-2 hover:text-text">
          {others.length} more{othersSelected > 0 && `, ${othersSelected} selected`}
        </summary>
        <div className="mt-1">{others.map(box)}</div>
      </details>
      {error && <p className="mt-1 text-bad">{error}</p>}
    </fieldset>
  );
}

function Box({ type, on, onToggle }: { type: EventType; on: boolean; onToggle: (type: string) => void }) {
  return (
    <Checkbox
      label={<span className="font-mono text-code">{type.type}</span>}
      hint={type.occurs}
      checked={on}
      onChange={() => onToggle(type.type)}
    />
  );
}
