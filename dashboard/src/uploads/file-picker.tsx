/** Two ways to choose files to upload: a file dialog, and drag and drop anywhere on the page. */
import { Upload as UploadIcon } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { toast } from "../ui/toast.ts";
import { droppedFiles, looksLikeVideo, type PickedFile, pickWithHandles } from "./picked-files.ts";

/** The caller renders `input` and calls `pick` to open the file dialog. */
export function useFilePicker({ multiple, onPick }: { multiple: boolean; onPick: (files: PickedFile[]) => void }): {
  input: ReactNode;
  pick: () => Promise<void>;
} {
  const ref = useRef<HTMLInputElement>(null);
  const pick = async () => {
    const files = await pickWithHandles(multiple);
    if (files === null) ref.current?.click();
    else if (files.length > 0) onPick(files);
  };
  const input = (
    <input
      ref={ref}
      type="file"
      hidden
      multiple={multiple}
      aria-label="Video files"
      onChange={({ currentTarget }) => {
        onPick([...(currentTarget.files ?? [])].map((file) => ({ file, handle: null })));
        currentTarget.value = ""; // so that choosing the same file again fires another event
      }}
    />
  );
  return { input, pick };
}

/**
 * Queues each video file as a new video or, if `video` is given, only the first file for that video. Shows a toast for
 * skipped files.
 */
export function uploadFiles(files: readonly PickedFile[], video: string | null = null): void {
  const videos = files.filter(({ file }) => looksLikeVideo(file));
  const others = files.filter(({ file }) => !looksLikeVideo(file));
  if (others.length === 1) toast(`Skipped ${others[0]?.file.name}, which is not a video`);
  if (others.length > 1) toast(`Skipped ${others.length} files that are not videos`);
  if (video !== null && videos.length > 1)
    toast("A video can have only one file, so only the first one will be uploaded");
  // The queue's code loads with the first file, or once the page is idle.
  void import("./upload-queue.ts").then(({ add }) => add(video === null ? videos : videos.slice(0, 1), video));
}

/** Accepts files dropped anywhere on the page, and shows an overlay while files are dragged over it. */
export function DropTarget({ video = null, label = "Drop to upload" }: { video?: string | null; label?: string }) {
  const isOver = useFileDrag((transfer) => {
    void droppedFiles(transfer).then(({ files, folders }) => {
      if (folders > 0) toast("Folders cannot be uploaded. Drop the files themselves instead.");
      uploadFiles(files, video);
    });
  });
  if (!isOver) return null;
  return (
    <div className="pointer-events-none fixed inset-0 z-40 grid place-items-center bg-scrim p-4">
      <p className="flex items-center gap-3 rounded-popup bg-raised px-5 py-4 text-dialog font-semibold shadow-popup outline-2 outline-offset-4 outline-accent outline-dashed">
        <UploadIcon size={16} aria-hidden />
        {label}
      </p>
    </div>
  );
}

/** @returns whether files are being dragged over the page */
function useFileDrag(onDrop: (transfer: DataTransfer) => void): boolean {
  const [isOver, setIsOver] = useState(false);
  const latest = useRef(onDrop);
  useEffect(() => {
    latest.current = onDrop;
  });
  useEffect(() => {
    const listening = new AbortController();
    const { signal } = listening;
    let depth = 0; // dragenter and dragleave fire for every nested element
    const on = (name: "dragenter" | "dragover" | "dragleave" | "drop", handle: (event: DragEvent) => void) =>
      addEventListener(
        name,
        (event) => {
          if (!event.dataTransfer?.types.includes("Files")) return;
          event.preventDefault();
          handle(event);
          setIsOver(depth > 0);
        },
        { signal },
      );
    on("dragenter", () => void depth++);
    on("dragleave", () => void depth--);
    on("dragover", () => {});
    on("drop", (event) => {
      depth = 0;
      if (event.dataTransfer) latest.current(event.dataTransfer);
    });
    return () => listening.abort();
  }, []);
  return isOver;
}
