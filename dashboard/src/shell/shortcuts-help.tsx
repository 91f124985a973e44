import { Dialog } from "../ui/dialog.tsx";
import { mainItems } from "./nav-items.ts";

const shortcuts: [keys: string[], label: string][] = [
  [["⌘K", "/"], "Search or jump to"],
  ...mainItems.map(({ key, label }): [string[], string] => [["G", (key ?? "").toUpperCase()], label]),
  [["C", "V"], "Upload video"],
  [["C", "W"], "Create webhook"],
  [["J", "K"], "Next and previous row"],
  [["Enter"], "Open row"],
  [["[", "]"], "Previous and next attempt"],
  [["S"], "Send delivery again"],
  [["Y"], "Copy ID"],
  [["P"], "Pause or resume live updates"],
  [["?"], "Show shortcuts"],
];

export function ShortcutsHelp({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="Keyboard shortcuts"
      description="Inactive while you type. Turn them off in Settings."
    >
      <dl className="grid grid-cols-[112px_minmax(0,1fr)] gap-y-2">
        {shortcuts.map(([keys, label]) => (
          <div key={label} className="col-span-2 grid grid-cols-subgrid items-center">
            <dt className="flex gap-1">
              {keys.map((key) => (
                <kbd
                  key={key}
                  className="min-w-6 rounded-tag bg-neutral-tint px-1.5 text-center font-sans text-meta leading-6"
                >
                  {key}
                </kbd>
              ))}
            </dt>
            <dd>{label}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
