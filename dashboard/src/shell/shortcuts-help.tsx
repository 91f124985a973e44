import { Dialog } from "../ui/dialog.tsx";
import { main } from "./nav-items.ts";

const shortcuts: [keys: string[], words: string][] = [
  [["⌘K", "/"], "Search or jump to"],
  ...main.map(({ key, word }): [string[], string] => [["G", (key ?? "").toUpperCase()], word]),
  [["C", "V"], "Upload a video"],
  [["C", "W"], "New webhook"],
  [["J", "K"], "Next and previous row"],
  [["Enter"], "Open the row"],
  [["[", "]"], "Older and newer attempt"],
  [["S"], "Send the delivery again"],
  [["Y"], "Copy the id"],
  [["P"], "Pause or resume live rows"],
  [["?"], "This list"],
];

export function KeysHelp({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="Keyboard shortcuts"
      description="They rest while you type. Settings switches them off."
    >
      <dl className="grid grid-cols-[112px_minmax(0,1fr)] gap-y-2">
        {shortcuts.map(([keys, words]) => (
          <div key={words} className="col-span-2 grid grid-cols-subgrid items-center">
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
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
