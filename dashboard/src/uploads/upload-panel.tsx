import { ChevronDown, ChevronUp, X } from "lucide-react";
import { useEffect, useState } from "react";
import { Button, IconButton } from "../ui/button.tsx";
import { Progress } from "../ui/progress.tsx";
import { toast } from "../ui/toast.ts";
import { useFilePicker } from "./file-picker.tsx";
import type { PickedFile } from "./picked-files.ts";
import { clearFinished, pauseAll, restoreUploads, resumeAll, resumeWith, useUploads } from "./upload-queue.ts";
import { UploadRow } from "./upload-row.tsx";
import type { Upload } from "./upload-state.ts";
import { heading, timeLeft } from "./upload-text.ts";

const isActive = ({ phase }: Upload) => ["queued", "sending", "retrying"].includes(phase.name);
const isPhone = () => matchMedia("(width < 768px)").matches;

function resumeInterrupted(files: readonly PickedFile[]): void {
  const unmatched = resumeWith(files);
  if (unmatched.length === 0) return;
  toast(`No interrupted upload matches ${unmatched.map(({ file }) => file.name).join(", ")}`);
}

/** Shows this tab's uploads at the bottom right of every page. On a phone, starts collapsed above the bottom bar. */
export function UploadPanel() {
  const uploads = useUploads();
  const [open, setOpen] = useState(() => !isPhone());
  useEffect(() => {
    void restoreUploads();
  }, []);
  if (uploads.length === 0) return null;
  return (
    <section
      aria-label="Uploads"
      className="fixed right-4 bottom-4 z-30 flex max-h-[min(480px,70dvh)] w-[400px] flex-col overflow-hidden rounded-popup bg-raised shadow-popup max-rail:inset-x-2 max-rail:bottom-[calc(60px+env(safe-area-inset-bottom))] max-rail:w-auto"
    >
      <PanelHead uploads={uploads} open={open} onToggle={() => setOpen(!open)} />
      {open ? (
        <ul className="min-h-0 overflow-y-auto border-t border-line py-2">
          {uploads.map((upload) => (
            <UploadRow key={upload.id} upload={upload} />
          ))}
        </ul>
      ) : (
        uploads.some(isActive) && (
          <Progress
            done={uploads.reduce((sum, { sent }) => sum + sent, 0)}
            total={uploads.reduce((sum, { size }) => sum + size, 0)}
            className="rounded-none"
          />
        )
      )}
    </section>
  );
}

function PanelHead({ uploads, open, onToggle }: { uploads: readonly Upload[]; open: boolean; onToggle: () => void }) {
  const hasActive = uploads.some(isActive);
  const hasPaused = uploads.some(({ phase }) => phase.name === "paused");
  const isDone = uploads.every(({ phase }) => phase.name === "received" || phase.name === "failed");
  const left = timeLeft(uploads);
  const needFile = uploads.filter(({ phase }) => phase.name === "interrupted" && !phase.hasHandle);
  const { input, pick } = useFilePicker({ multiple: true, onPick: resumeInterrupted });
  return (
    <header className="flex min-h-12 shrink-0 items-center gap-2 py-1 pr-2 pl-4">
      <h2 className="min-w-0 truncate font-semibold numbers">
        <span role="status">{heading(uploads)}</span>
      </h2>
      {left && <span className="min-w-0 truncate text-text-2 numbers">{left}</span>}
      <span className="ml-auto flex shrink-0 items-center">
        {open && needFile.length > 1 && (
          <Button look="quiet" size="sm" onClick={() => void pick()}>
            Choose files
          </Button>
        )}
        {input}
        {open && hasActive && uploads.length > 1 && (
          <Button look="quiet" size="sm" onClick={pauseAll}>
            Pause all
          </Button>
        )}
        {open && !hasActive && hasPaused && uploads.length > 1 && (
          <Button look="quiet" size="sm" onClick={resumeAll}>
            Resume all
          </Button>
        )}
        <IconButton
          icon={open ? ChevronDown : ChevronUp}
          label={open ? "Collapse" : "Expand"}
          aria-expanded={open}
          onClick={onToggle}
        />
        {isDone && <IconButton icon={X} label="Close" onClick={clearFinished} />}
      </span>
    </header>
  );
}
