import { Autocomplete } from "@base-ui/react/autocomplete";
import { Dialog } from "@base-ui/react/dialog";
import { Search } from "lucide-react";
import { useState } from "react";
import { type Command, type CommandGroup, useCommands } from "./commands.ts";

export function PalettePopup({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [text, setText] = useState("");
  const close = () => {
    setText("");
    onClose();
  };
  return (
    <Dialog.Root open={open} onOpenChange={(next) => next || close()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="popup-motion fixed inset-0 z-40 bg-scrim" />
        <Dialog.Viewport className="fixed inset-0 z-40 flex items-start justify-center px-3 pt-[12dvh] max-rail:pt-3">
          <Dialog.Popup
            aria-label="Search or jump to"
            className="popup-motion flex max-h-[min(480px,76dvh)] w-full max-w-[600px] flex-col overflow-hidden rounded-popup bg-raised shadow-popup outline-none"
          >
            <Results text={text} onText={setText} onClose={close} />
          </Dialog.Popup>
        </Dialog.Viewport>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Results({ text, onText, onClose }: { text: string; onText: (text: string) => void; onClose: () => void }) {
  const groups = useCommands(text);
  const run = (command: Command) => {
    onClose();
    command.run();
  };
  return (
    <Autocomplete.Root
      open
      inline
      items={groups}
      filter={null}
      value={text}
      onValueChange={onText}
      autoHighlight="always"
      keepHighlight
      itemToStringValue={(command: Command) => command.label}
    >
      <div className="flex h-12 shrink-0 items-center gap-3 border-b border-line px-4">
        <Search size={16} className="text-text-3" aria-hidden />
        <Autocomplete.Input
          aria-label="Search or jump to"
          placeholder="Search, or paste an ID"
          className="h-full min-w-0 flex-1 bg-transparent text-read outline-none touch:text-[16px]"
        />
        <Dialog.Close className="rounded-tag px-1.5 py-0.5 text-meta text-text-2 shadow-[inset_0_0_0_1px_var(--line)]">
          Esc
        </Dialog.Close>
      </div>
      <Autocomplete.Empty className="px-4 text-text-2 not-empty:py-4">No results for “{text}”</Autocomplete.Empty>
      <Autocomplete.List className="min-h-0 overflow-auto p-1.5 empty:p-0">
        {(group: CommandGroup) => (
          <Autocomplete.Group key={group.value} items={group.items}>
            <Autocomplete.GroupLabel className="px-2.5 pt-2 pb-1 text-meta text-text-3">
              {group.value}
            </Autocomplete.GroupLabel>
            <Autocomplete.Collection>
              {(command: Command) => (
                <Autocomplete.Item
                  key={command.id}
                  value={command}
                  onClick={() => run(command)}
                  className="flex h-9 items-center gap-3 rounded-control px-2.5 outline-none select-none data-highlighted:bg-hover touch:h-11"
                >
                  <command.icon size={16} className="shrink-0 text-text-2" aria-hidden />
                  <span className="min-w-0 flex-1 truncate">{command.label}</span>
                  {command.hint && <span className="shrink-0 text-meta text-text-3">{command.hint}</span>}
                </Autocomplete.Item>
              )}
            </Autocomplete.Collection>
          </Autocomplete.Group>
        )}
      </Autocomplete.List>
    </Autocomplete.Root>
  );
}
