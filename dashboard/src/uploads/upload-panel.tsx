/** Uploads of this tab, at the bottom right of every page; on a phone folded above the bar. */
import { ChevronDown, ChevronUp, X } from "lucide-react";
import { useEffect, useState } from "react";
import { Button, IconButton } from "../ui/button.tsx";
import { toast } from "../ui/toast.ts";
import { Bar } from "./bar.tsx";
import { usePicker } from "./file-picker.tsx";
import {
  clearFinished,
  type Given,
  pauseAll,
  recallUploads,
  resumeAll,
  resumeWith,
  useUploads,
} from "./upload-queue.ts";
import { PanelRow } from "./upload-row.tsx";
import type { Upload } from "./upload-state.ts";
import { heading, share, timeLeft } from "./upload-text.ts";

const isMoving = ({ phase }: Upload) => ["queued", "sending", "retrying"].includes(phase.name);
const isPhone = () => matchMedia("(width < 768px)").matches;

function chooseAgain(given: readonly Given[]): void {
  const strange = resumeWith(given);
  if (strange.length === 0) return;
  toast(`${strange.map(({ file }) => file.name).join(", ")}: not a file that was interrupted, or it was changed.`);
}

export function UploadPanel() {
  const uploads = useUploads();
  const [open, setOpen] = useState(() => !isPhone());
  useEffect(() => {
    void recallUploads();
  }, []);
  if (uploads.length === 0) return null;
  return (
    <section
      aria-label="Uploads"
      className="fixed right-4 bottom-4 z-30 flex max-h-[min(480px,70dvh)] w-[400px] flex-col overflow-hidden rounded-popup bg-raised shadow-popup max-rail:inset-x-2 max-rail:bottom-[calc(60px+env(safe-area-inset-bottom))] max-rail:w-auto"
    >
      <Head uploads={uploads} open={open} onToggle={() => setOpen(!open)} />
      {open ? (
        <ul className="min-h-0 overflow-y-auto border-t border-line py-2">
          {uploads.map((upload) => (
            <PanelRow key={upload.id} upload={upload} />
          ))}
        </ul>
      ) : (
        uploads.some(isMoving) && <Bar share={share(uploads)} className="rounded-none" />
      )}
    </section>
  );
}

function Head({ uploads, open, onToggle }: { uploads: readonly Upload[]; open: boolean; onToggle: () => void }) {
  const moving = uploads.some(isMoving);
  const paused = uploads.some(({ phase }) => phase.name === "paused");
  const over = uploads.every(({ phase }) => phase.name === "received" || phase.name === "failed");
  const left = timeLeft(uploads);
  const chosen = uploads.filter(({ phase }) => phase.name === "interrupted" && !phase.kept);
  const { input, pick } = usePicker({ multiple: true, onGiven: chooseAgain });
  return (
    <header className="flex min-h-12 shrink-0 items-center gap-2 py-1 pr-2 pl-4">
      <h2 className="min-w-0 truncate font-semibold numbers">
        <span role="status">{heading(uploads)}</span>
      </h2>
      {left && <span className="min-w-0 truncate text-text-2 numbers">{left}</span>}
      <span className="ml-auto flex shrink-0 items-center">
        {open && chosen.length > 1 && (
          <Button look="quiet" size="sm" onClick={() => void pick()}>
            Choose files
          </Button>
        )}
        {input}
        {open && moving && uploads.length > 1 && (
          <Button look="quiet" size="sm" onClick={pauseAll}>
            Pause all
          </Button>
        )}
        {open && !moving && paused && uploads.length > 1 && (
          <Button look="quiet" size="sm" onClick={resumeAll}>
            Resume all
          </Button>
        )}
        <IconButton
          icon={open ? ChevronDown : ChevronUp}
          label={open ? "Fold uploads" : "Show uploads"}
          aria-expanded={open}
          onClick={onToggle}
        />
        {over && <IconButton icon={X} label="Close" onClick={clearFinished} />}
      </span>
    </header>
  );
}
