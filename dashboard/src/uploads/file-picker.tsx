/** The ways to give files: a button's dialog, and dropping them anywhere on the page. */
import { Upload as UploadIcon } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { toast } from "../ui/toast.ts";
import { dropped, looksLikeVideo, pickWithHandles } from "./picked-files.ts";
import type { Given } from "./upload-queue.ts";

/** `input` has to be rendered; `pick` opens the dialog. */
export function usePicker({ multiple, onGiven }: { multiple: boolean; onGiven: (given: Given[]) => void }): {
  input: ReactNode;
  pick: () => Promise<void>;
} {
  const ref = useRef<HTMLInputElement>(null);
  const pick = async () => {
    const given = await pickWithHandles(multiple);
    if (given === null) ref.current?.click();
    else if (given.length > 0) onGiven(given);
  };
  const input = (
    <input
      ref={ref}
      type="file"
      hidden
      multiple={multiple}
      aria-label="Video files"
      onChange={({ currentTarget }) => {
        onGiven([...(currentTarget.files ?? [])].map((file) => ({ file, handle: null })));
        currentTarget.value = ""; // the same file may be chosen again
      }}
    />
  );
  return { input, pick };
}

/** Queues what looks like a video, for new videos or for one; says what it left out. */
export function give(given: readonly Given[], video: string | null = null): void {
  const videos = given.filter(({ file }) => looksLikeVideo(file));
  const others = given.filter(({ file }) => !looksLikeVideo(file));
  if (others.length === 1) toast(`${others[0]?.file.name} is not a video and was left out.`);
  if (others.length > 1) toast(`${others.length} files are not videos and were left out.`);
  if (video !== null && videos.length > 1) toast("One video has one file. The first of them is uploaded.");
  // The queue's code comes with the first file, or when the page stands still.
  void import("./upload-queue.ts").then(({ add }) => add(video === null ? videos : videos.slice(0, 1), video));
}

/** Takes files dropped anywhere on the page, and says so while they are held over it. */
export function DropAnywhere({ video = null, words = "Drop to upload" }: { video?: string | null; words?: string }) {
  const over = useFilesOver((transfer) => {
    void dropped(transfer).then(({ given, folders }) => {
      if (folders > 0) toast("Folders are left out. Drop the files in them.");
      give(given, video);
    });
  });
  if (!over) return null;
  return (
    <div className="pointer-events-none fixed inset-0 z-40 grid place-items-center bg-scrim p-4">
      <p className="flex items-center gap-3 rounded-popup bg-raised px-5 py-4 text-dialog font-semibold shadow-popup outline-2 outline-offset-4 outline-accent outline-dashed">
        <UploadIcon size={16} aria-hidden />
        {words}
      </p>
    </div>
  );
}

function useFilesOver(onDrop: (transfer: DataTransfer) => void): boolean {
  const [over, setOver] = useState(false);
  const latest = useRef(onDrop);
  useEffect(() => {
    latest.current = onDrop;
  });
  useEffect(() => {
    const listening = new AbortController();
    const { signal } = listening;
    let depth = 0; // enter and leave come for every element on the way
    const withFiles = (then: (event: DragEvent) => void) => (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      then(event);
      setOver(depth > 0);
    };
    const on = (name: "dragenter" | "dragover" | "dragleave" | "drop", then: (event: DragEvent) => void) =>
      addEventListener(name, withFiles(then), { signal });
    on("dragenter", () => void depth++);
    on("dragleave", () => void depth--);
    on("dragover", () => {});
    on("drop", (event) => {
      depth = 0;
      if (event.dataTransfer) latest.current(event.dataTransfer);
    });
    return () => listening.abort();
  }, []);
  return over;
}
